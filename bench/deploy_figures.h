/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of bench_deploy that run the program itself; both print their figures. */
#ifndef PITWALL_BENCH_DEPLOY_FIGURES_H
#define PITWALL_BENCH_DEPLOY_FIGURES_H

void deploy_wire(void);
void deploy_waves(void);

#endif
