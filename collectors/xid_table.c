/* SPDX-License-Identifier: Apache-2.0
 *
 * The Xids, in the order of their codes. Facts from NVIDIA's Xid documentation (the catalog of codes, and the action that it names for
 * each); the words are ours. */
#include "collectors/xid.h"

#include <assert.h>

#define NOT_EXPECTED \
	"not expected of a current driver: if it comes again, show it to the vendor"
#define NOTHING \
	"nothing to do"
#define RESTART \
	"restart the process that used the GPU; where it comes again, with other programs too, show it to the vendor"
#define PROGRAM \
	"suspect the program first: restart it; where other programs see it on this GPU alone, run the vendor's diagnostics"
#define DRIVER \
	"nothing at once; where it comes again, look for a newer driver and for errors in the program"
#define EARLIER \
	"look at the Xid before it, and act on that; where there is none, restart the fabric manager"
#define RESET \
	"drain the node and reset the GPU; where it comes again, show it to the vendor"
#define DBE \
	"drain the node and reset the GPU once nothing runs on it; look for Xid 63, 64, 94 or 95 beside it, and for failed remappings"
#define POWER \
	"check the board's power cables and seating"
#define ROWS \
	"nothing at once: reset the GPU when the node is next empty, so that the replacement takes effect"
#define RETIRE \
	"drain the node and reset the GPU; where it comes again, have the board replaced"
#define LINK \
	"drain the node, reset all GPUs of the link; where it comes again, check the bridge or the switch and the board's seating"
#define UPDATE \
	"the driver of host and guest do not fit: update them"
#define BUS \
	"reboot the node; check power, seating and heat; where it comes again, have the board replaced"
#define WATCH \
	"nothing at once; watch it, and have the board tested when the node is next empty"
#define WORN \
	"nothing at once; tell the vendor"
#define CONTAINED \
	"restart the processes that died; reset the GPU when the node is next empty"
#define UNCONTAINED \
	"drain the node and reset the GPU; restart all that ran on it"
#define PEER \
	"look for an error of the GPU at the other end, and act on that"
#define GSP \
	"drain the node and reset the GPU, or reboot where a reset hangs; look for a newer driver; collect nvidia-bug-report before"
#define C2C \
	"nothing at once; where it comes again, have the board tested"
#define TRAIN \
	"drain the node and reset the GPU; where it comes again, check cables, bridges and the switch"
#define LINK5 \
	"look at the severity in the line: fatal means drain and reset; where it comes again, check the link's both ends"
#define SUPPORT \
	"where it comes again, show it to the vendor"
#define GUEST \
	"restart the guest"
#define ACTION \
	"do what the line says: reset the GPU, reboot the node, or drain it"
#define SMOOTH \
	"plan for higher peaks of the node's power draw; tell the vendor"
#define SMALLER \
	"check that models still fit; have the board tested when the node is next empty"

static const struct xid_info table[] = {
	{ 1, FINDING_INFO, "a bad method in a channel's queue (no longer reported)", NOT_EXPECTED },
	{ 2, FINDING_INFO, "a bad software method in a channel's queue (no longer reported)", NOT_EXPECTED },
	{ 3, FINDING_INFO, "an unknown method in a channel's queue (no longer reported)", NOT_EXPECTED },
	{ 4, FINDING_INFO, "a channel was busy (no longer reported)", NOT_EXPECTED },
	{ 5, FINDING_INFO, "a channel's queue ran out of room (no longer reported)", NOT_EXPECTED },
	{ 6, FINDING_INFO, "a channel's queue could not be parsed (no longer reported)", NOT_EXPECTED },
	{ 7, FINDING_INFO, "a page table entry was wrong in a channel's queue (no longer reported)", NOT_EXPECTED },
	{ 8, FINDING_WARN, "a channel waited too long: the GPU stopped working on it", RESTART },
	{ 9, FINDING_INFO, "the graphics engine met an unknown instance (no longer reported)", NOT_EXPECTED },
	{ 10, FINDING_INFO, "the graphics engine was single-stepped (no longer reported)", NOT_EXPECTED },
	{ 11, FINDING_WARN, "a stream of commands asked for hardware that is not there", PROGRAM },
	{ 12, FINDING_INFO, "a bad software method for the graphics engine (no longer reported)", NOT_EXPECTED },
	{ 13, FINDING_WARN, "the graphics engine raised an exception, as a kernel does that leaves its memory", PROGRAM },
	{ 14, FINDING_INFO, "a made-up error of the driver's own (no longer reported)", NOTHING },
	{ 15, FINDING_INFO, "the display did not reach a line in time (no longer reported)", NOT_EXPECTED },
	{ 16, FINDING_INFO, "the display's frame interrupt did not come in time (no longer reported)", NOT_EXPECTED },
	{ 17, FINDING_INFO, "a bad parameter in a channel (no longer reported)", NOT_EXPECTED },
	{ 18, FINDING_INFO, "the GPU could not use the bus as a master in time (no longer reported)", NOT_EXPECTED },
	{ 19, FINDING_INFO, "the display missed a notification (no longer reported)", NOT_EXPECTED },
	{ 20, FINDING_INFO, "a bad method for the MPEG engine (no longer reported)", NOT_EXPECTED },
	{ 21, FINDING_INFO, "an error of the motion engine (no longer reported)", NOT_EXPECTED },
	{ 22, FINDING_INFO, "a bad method for the video processor (no longer reported)", NOT_EXPECTED },
	{ 23, FINDING_INFO, "logging of channel errors was switched on (no longer reported)", NOT_EXPECTED },
	{ 24, FINDING_INFO, "a semaphore of the graphics engine was not released in time (no longer reported)", NOT_EXPECTED },
	{ 25, FINDING_WARN, "a stream of commands held an illegal one", PROGRAM },
	{ 26, FINDING_INFO, "the frame buffer interface did not become idle (no longer reported)", NOT_EXPECTED },
	{ 27, FINDING_INFO, "an error of the video processor (no longer reported)", NOT_EXPECTED },
	{ 28, FINDING_INFO, "an error of the second video processor (no longer reported)", NOT_EXPECTED },
	{ 29, FINDING_INFO, "an error of the bitstream processor (no longer reported)", NOT_EXPECTED },
	{ 30, FINDING_INFO, "the GPU used an address that is not there (no longer reported)", NOT_EXPECTED },
	{ 31, FINDING_WARN, "a page fault of the GPU's memory: a kernel used an address that was not its own", PROGRAM },
	{ 32, FINDING_WARN, "a stream of commands was damaged on its way to the GPU", PROGRAM },
	{ 33, FINDING_INFO, "an error of the security engine (no longer reported)", NOT_EXPECTED },
	{ 34, FINDING_INFO, "an error of the video bitstream decoder (no longer reported)", NOT_EXPECTED },
	{ 35, FINDING_INFO, "an error of the video decoder (no longer reported)", NOT_EXPECTED },
	{ 36, FINDING_INFO, "an error of the video post-processor (no longer reported)", NOT_EXPECTED },
	{ 37, FINDING_INFO, "the context switch firmware was asked for something it does not have", DRIVER },
	{ 38, FINDING_INFO, "the context switch firmware's watchdog ran out", DRIVER },
	{ 39, FINDING_WARN, "copy engine 0 raised an exception", RESTART },
	{ 40, FINDING_WARN, "copy engine 1 raised an exception", RESTART },
	{ 41, FINDING_WARN, "copy engine 2 raised an exception", RESTART },
	{ 42, FINDING_INFO, "an error of the image compositor (no longer reported)", NOT_EXPECTED },
	{ 43, FINDING_WARN, "the GPU stopped working on a channel and took it down; the process that owned it has failed", RESTART },
	{ 44, FINDING_WARN, "the graphics engine faulted while it switched contexts", RESTART },
	{ 45, FINDING_WARN, "channels were taken down because of an earlier error", EARLIER },
	{ 46, FINDING_CRITICAL, "the GPU stopped working and did not come back in time", RESET },
	{ 47, FINDING_INFO, "an error of video encoder 0 (no longer reported)", NOT_EXPECTED },
	{ 48, FINDING_CRITICAL, "a memory error of two bits, which ECC cannot put right", DBE },
	{ 49, FINDING_INFO, "a power level was fixed by configuration (no longer reported)", NOT_EXPECTED },
	{ 50, FINDING_INFO, "a power level changed after a channel error (no longer reported)", NOT_EXPECTED },
	{ 51, FINDING_INFO, "a stress test failed (no longer reported)", NOT_EXPECTED },
	{ 52, FINDING_INFO, "a power level changed for heat (no longer reported)", NOT_EXPECTED },
	{ 53, FINDING_INFO, "clocks were lowered for heat (no longer reported)", NOT_EXPECTED },
	{ 54, FINDING_CRITICAL, "the board's additional power is not connected", POWER },
	{ 55, FINDING_INFO, "a temperature could not be read (no longer reported)", NOT_EXPECTED },
	{ 56, FINDING_INFO, "an error of a display channel (no longer reported)", NOT_EXPECTED },
	{ 57, FINDING_INFO, "the memory's link could not be trained (no longer reported)", NOT_EXPECTED },
	{ 58, FINDING_INFO, "an error of the frame buffer's memory (no longer reported)", NOT_EXPECTED },
	{ 59, FINDING_INFO, "an error of the power unit (no longer reported)", NOT_EXPECTED },
	{ 60, FINDING_WARN, "the video processor's security unit raised an exception", RESTART },
	{ 61, FINDING_INFO, "the power unit's firmware stopped at a breakpoint (no longer reported)", NOT_EXPECTED },
	{ 62, FINDING_CRITICAL, "the power unit's firmware halted", RESET },
	{ 63, FINDING_WARN, "a bad row of memory is to be replaced, or a bad page to be retired", ROWS },
	{ 64, FINDING_CRITICAL, "a bad row or page of memory could not be recorded as such", RETIRE },
	{ 65, FINDING_INFO, "an error of video encoder 1 (no longer reported)", NOT_EXPECTED },
	{ 66, FINDING_INFO, "the driver touched a register that it may not", DRIVER },
	{ 67, FINDING_INFO, "the driver touched a register that is watched", DRIVER },
	{ 68, FINDING_WARN, "video decoder 0 raised an exception", RESTART },
	{ 69, FINDING_WARN, "the graphics engine was given a class it does not know", PROGRAM },
	{ 70, FINDING_WARN, "copy engine 3 raised an exception", RESTART },
	{ 71, FINDING_WARN, "copy engine 4 raised an exception", RESTART },
	{ 72, FINDING_WARN, "copy engine 5 raised an exception", RESTART },
	{ 73, FINDING_INFO, "an error of video encoder 2 (no longer reported)", NOT_EXPECTED },
	{ 74, FINDING_CRITICAL, "an NVLink to another GPU or to a switch has failed", LINK },
	{ 75, FINDING_WARN, "copy engine 6 raised an exception", RESTART },
	{ 76, FINDING_WARN, "copy engine 7 raised an exception", RESTART },
	{ 77, FINDING_WARN, "copy engine 8 raised an exception", RESTART },
	{ 78, FINDING_WARN, "a virtual GPU could not be started", UPDATE },
	{ 79, FINDING_CRITICAL, "the GPU has fallen off the PCIe bus", BUS },
	{ 80, FINDING_WARN, "commands reached the GPU with a wrong checksum", PROGRAM },
	{ 81, FINDING_INFO, "an error of the VGA part (no longer reported)", NOT_EXPECTED },
	{ 82, FINDING_WARN, "JPEG engine 0 raised an exception", RESTART },
	{ 83, FINDING_WARN, "video decoder 1 raised an exception", RESTART },
	{ 84, FINDING_WARN, "video decoder 2 raised an exception", RESTART },
	{ 85, FINDING_WARN, "copy engine 9 raised an exception", RESTART },
	{ 86, FINDING_WARN, "the optical flow engine raised an exception", RESTART },
	{ 87, FINDING_INFO, "a report of the driver's telemetry (no longer reported)", NOT_EXPECTED },
	{ 88, FINDING_WARN, "video decoder 3 raised an exception", RESTART },
	{ 89, FINDING_WARN, "video decoder 4 raised an exception", RESTART },
	{ 90, FINDING_INFO, "an error of the second level cache (no longer reported)", NOT_EXPECTED },
	{ 91, FINDING_INFO, "reserved", NOT_EXPECTED },
	{ 92, FINDING_WARN, "memory errors of one bit, all put right, come unusually often", WATCH },
	{ 93, FINDING_INFO, "the board's own configuration memory was written more often than it is made for", WORN },
	{ 94, FINDING_WARN, "a memory error that could be kept to the processes that used that memory", CONTAINED },
	{ 95, FINDING_CRITICAL, "a memory error that could not be kept to one process: all that run on this GPU are affected", UNCONTAINED },
	{ 96, FINDING_WARN, "video decoder 5 raised an exception", RESTART },
	{ 97, FINDING_WARN, "video decoder 6 raised an exception", RESTART },
	{ 98, FINDING_WARN, "video decoder 7 raised an exception", RESTART },
	{ 99, FINDING_WARN, "JPEG engine 1 raised an exception", RESTART },
	{ 100, FINDING_WARN, "JPEG engine 2 raised an exception", RESTART },
	{ 101, FINDING_WARN, "JPEG engine 3 raised an exception", RESTART },
	{ 102, FINDING_WARN, "JPEG engine 4 raised an exception", RESTART },
	{ 103, FINDING_WARN, "JPEG engine 5 raised an exception", RESTART },
	{ 104, FINDING_WARN, "JPEG engine 6 raised an exception", RESTART },
	{ 105, FINDING_WARN, "JPEG engine 7 raised an exception", RESTART },
	{ 106, FINDING_INFO, "a test message of the board's management interface", NOTHING },
	{ 107, FINDING_INFO, "a silent test message of the board's management interface", NOTHING },
	{ 108, FINDING_INFO, "an address could not be translated at the other end of an NVLink", PEER },
	{ 109, FINDING_CRITICAL, "a context switch did not end in time", RESET },
	{ 110, FINDING_CRITICAL, "the security unit raised a fault", RESET },
	{ 111, FINDING_INFO, "an error in a bundle of states (no longer reported)", NOT_EXPECTED },
	{ 112, FINDING_INFO, "an error of the display's supervisor (no longer reported)", NOT_EXPECTED },
	{ 113, FINDING_INFO, "a DisplayPort link could not be trained (no longer reported)", NOT_EXPECTED },
	{ 114, FINDING_INFO, "the display ran out of pixels (no longer reported)", NOT_EXPECTED },
	{ 115, FINDING_INFO, "an error in the display's core channel (no longer reported)", NOT_EXPECTED },
	{ 116, FINDING_INFO, "an error in a display window's channel (no longer reported)", NOT_EXPECTED },
	{ 117, FINDING_INFO, "an error in the display cursor's channel (no longer reported)", NOT_EXPECTED },
	{ 118, FINDING_INFO, "an error in the registers of a display head (no longer reported)", NOT_EXPECTED },
	{ 119, FINDING_CRITICAL, "the GPU's system processor (GSP) did not answer the driver in time", GSP },
	{ 120, FINDING_CRITICAL, "the firmware of the GPU's system processor (GSP) has failed", GSP },
	{ 121, FINDING_WARN, "the chip-to-chip link between processor and GPU saw errors", C2C },
	{ 122, FINDING_INFO, "the power unit could not read the board's flash (no longer reported)", NOT_EXPECTED },
	{ 123, FINDING_INFO, "the power unit could not write the board's flash (no longer reported)", NOT_EXPECTED },
	{ 124, FINDING_INFO, "the power unit could not erase the board's flash (no longer reported)", NOT_EXPECTED },
	{ 125, FINDING_INFO, "the file system of the board's configuration memory is damaged (no longer reported)", NOT_EXPECTED },
	{ 126, FINDING_WARN, "copy engine 10 raised an exception", RESTART },
	{ 127, FINDING_WARN, "copy engine 11 raised an exception", RESTART },
	{ 128, FINDING_WARN, "copy engine 12 raised an exception", RESTART },
	{ 129, FINDING_WARN, "copy engine 13 raised an exception", RESTART },
	{ 130, FINDING_WARN, "copy engine 14 raised an exception", RESTART },
	{ 131, FINDING_WARN, "copy engine 15 raised an exception", RESTART },
	{ 132, FINDING_WARN, "copy engine 16 raised an exception", RESTART },
	{ 133, FINDING_WARN, "copy engine 17 raised an exception", RESTART },
	{ 134, FINDING_WARN, "copy engine 18 raised an exception", RESTART },
	{ 135, FINDING_WARN, "copy engine 19 raised an exception", RESTART },
	{ 136, FINDING_CRITICAL, "an NVLink could not be trained", TRAIN },
	{ 137, FINDING_WARN, "an access over NVLink was refused at its other end, mostly after a fault there", PEER },
	{ 138, FINDING_INFO, "an error of the deep learning accelerator (no longer reported)", NOT_EXPECTED },
	{ 139, FINDING_WARN, "optical flow engine 1 raised an exception", RESTART },
	{ 140, FINDING_CRITICAL, "a memory error that ECC could not put right has got past the hardware's own handling", RESET },
	{ 141, FINDING_WARN, "a fast path of CUDA met an error", DRIVER },
	{ 142, FINDING_WARN, "video encoder 3 raised an exception", SUPPORT },
	{ 143, FINDING_CRITICAL, "the GPU could not be initialised", RESET },
	{ 144, FINDING_CRITICAL, "NVLink: an error in the part that feeds the link from the GPU", LINK5 },
	{ 145, FINDING_CRITICAL, "NVLink: an error in the link's receiving part", LINK5 },
	{ 146, FINDING_CRITICAL, "NVLink: an error in the link's sending part", LINK5 },
	{ 147, FINDING_CRITICAL, "NVLink: an error in the exchange between links", LINK5 },
	{ 148, FINDING_CRITICAL, "NVLink: an error in the links' control", LINK5 },
	{ 149, FINDING_CRITICAL, "NVLink: an error of the physical link or of the network", LINK5 },
	{ 150, FINDING_CRITICAL, "NVLink: an error in the links' management engine", LINK5 },
	{ 151, FINDING_WARN, "the keys of a confidential guest could not be changed", GUEST },
	{ 152, FINDING_WARN, "the deep learning accelerator's memory unit faulted", SUPPORT },
	{ 153, FINDING_WARN, "the deep learning accelerator did not answer in time", SUPPORT },
	{ 154, FINDING_CRITICAL, "the driver says that the GPU needs another recovery action than before", ACTION },
	{ 155, FINDING_CRITICAL, "NVLink: an error that software has declared", RESET },
	{ 156, FINDING_WARN, "a part of the GPU is to be retired", ROWS },
	{ 157, FINDING_CRITICAL, "a part of the GPU could not be recorded as retired", RETIRE },
	{ 158, FINDING_CRITICAL, "the GPU did not answer in time, for good", RESET },
	{ 159, FINDING_WARN, "the coherent link to the processor reported an error without data", PROGRAM },
	{ 160, FINDING_WARN, "a memory channel is to be retired", WATCH },
	{ 161, FINDING_WARN, "a memory channel could not be retired", WATCH },
	{ 162, FINDING_INFO, "power smoothing hardware works again", NOTHING },
	{ 163, FINDING_WARN, "power smoothing hardware was switched off", SMOOTH },
	{ 164, FINDING_WARN, "power smoothing hardware is near the end of its life", SMOOTH },
	{ 165, FINDING_WARN, "power smoothing hardware is at the end of its life", SMOOTH },
	{ 166, FINDING_CRITICAL, "NVLink: confidential traffic came before the link was set up for it", LINK5 },
	{ 167, FINDING_CRITICAL, "the PCIe bus did not answer the GPU in time, for good", BUS },
	{ 168, FINDING_WARN, "the GPU has less memory than it should: a protected part of it has errors", SMALLER },
	{ 169, FINDING_CRITICAL, "the security unit's firmware halted", RESET },
	{ 170, FINDING_CRITICAL, "NVLink: an unexpected interrupt of a confidential link", LINK5 },
	{ 171, FINDING_CRITICAL, "a memory error that ECC cannot put right, in the GPU's main memory (DRAM)", DBE },
	{ 172, FINDING_CRITICAL, "a memory error that ECC cannot put right, in the GPU's caches (SRAM)", DBE },
};

enum { TABLE_SIZE = sizeof table / sizeof table[0] };

const struct xid_info *xid_info(int code)
{
	if (code < 1 || code > TABLE_SIZE)
		return NULL;
	assert(table[code - 1].code == code);
	return &table[code - 1];
}
