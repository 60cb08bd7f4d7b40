# SPDX-License-Identifier: Apache-2.0
# Tests of the rules in packs/, in promtool's format.
rule_tests = \
	%reldir%/AccuracyDrop.yml \
	%reldir%/CertificateExpiry.yml \
	%reldir%/ClockOffset.yml \
	%reldir%/CrashLoop.yml \
	%reldir%/DiskFilling.yml \
	%reldir%/EngineHung.yml \
	%reldir%/ErrorsHigh.yml \
	%reldir%/GpuEccErrors.yml \
	%reldir%/GpuHot.yml \
	%reldir%/GpuLost.yml \
	%reldir%/GpuThrottled.yml \
	%reldir%/GpuXid.yml \
	%reldir%/KvCacheSaturated.yml \
	%reldir%/LatencyHigh.yml \
	%reldir%/MonitoringBlind.yml \
	%reldir%/NodeDown.yml \
	%reldir%/NothingRecorded.yml \
	%reldir%/OomKill.yml \
	%reldir%/QueueGrowing.yml \
	%reldir%/RulesFailing.yml \
	%reldir%/SeriesDropped.yml \
	%reldir%/ServerDown.yml \
	%reldir%/StragglerNode.yml \
	%reldir%/TargetDown.yml \
	%reldir%/TargetFlapping.yml \
	%reldir%/ThroughputCollapse.yml \
	%reldir%/VersionFailing.yml \
	%reldir%/VersionLessAccurate.yml \
	%reldir%/VersionSkew.yml \
	%reldir%/Watchdog.yml \
	%reldir%/recordings.yml
EXTRA_DIST += $(rule_tests)
