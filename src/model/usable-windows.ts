/**
 * What of a window a model can use: channels of which every sample is a number. Windows that agree in how many channels
 * each modality has run together, those channels closed up: zeros in the place of a lost channel would change every other
 * token through the group normalisations (statistics over all channels of a window).
 */
import type { SignalWindows } from '../patches/windows.ts';

/** Channels of each window of a modality that can be used, by index; none where the modality is missing. */
export type UsableChannels = readonly (readonly number[])[];

/**
 * Find them. A modality whose usable channels are all flat is missing where the model knows what to do then
 * (`withoutFlat`): a cable that lies on the table is no signal.
 */
export function usableChannels(
  { data, channels, patches, patchSamples }: SignalWindows,
  { withoutFlat }: { readonly withoutFlat: boolean },
): UsableChannels {
  const length = patches * patchSamples;
  const count = data.length / (channels.length * length);
  const all = channels.map((_, c) => c);
  return Array.from({ length: count }, (_, window) => {
    let varies = false;
    const usable = all.filter((channel) => {
      const start = (window * channels.length + channel) * length;
      const first = data[start]!;
      let differs = false;
      for (let t = start; t < start + length; t++) {
        const x = data[t]!;
        if (!Number.isFinite(x)) return false;
        differs ||= x !== first;
      }
      varies ||= differs;
      return true;
    });
    if (withoutFlat && !varies) return [];
    return usable.length === all.length ? all : usable;
  });
}

/** Some windows with some of their channels each, equally many: [B, C′, N, P]. */
export function takeChannels(
  { data, channels, patches, patchSamples }: SignalWindows,
  windows: readonly number[],
  usable: UsableChannels,
): Float32Array {
  const length = patches * patchSamples;
  const count = usable[windows[0]!]!.length;
  const result = new Float32Array(windows.length * count * length);
  for (const [row, window] of windows.entries())
    for (const [c, channel] of usable[window]!.entries()) {
      const start = (window * channels.length + channel) * length;
      result.set(data.subarray(start, start + length), (row * count + c) * length);
    }
  return result;
}

/** Windows by how many channels of each modality they have, in the order of their first. */
export function groupByCounts(
  count: number,
  usable: readonly UsableChannels[],
): { readonly counts: readonly number[]; readonly windows: readonly number[] }[] {
  const groups = new Map<string, { counts: number[]; windows: number[] }>();
  for (let window = 0; window < count; window++) {
    const counts = usable.map((one) => one[window]!.length);
    const group = groups.get(counts.join()) ?? { counts, windows: [] };
    group.windows.push(window);
    groups.set(counts.join(), group);
  }
  return [...groups.values()];
}
