/** Time that this process computed: what a test may bound on a machine that others use too. */
export function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
