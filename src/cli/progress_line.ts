/** The text of a progress bar, for a terminal of any width from 40 columns. */

/** The parts of the line, in this order. */
export interface LineParts {
  /** The task. */
  readonly label: string;
  /** How much is done, 0 to 1; `undefined` when that is not known. */
  readonly part?: number;
  /** How many bytes are done, and of how many. */
  readonly sizes: string;
  readonly rate: string;
  /** The time left. */
  readonly left?: string | undefined;
}

const BAR_MAX = 24;
/** A shorter bar says no more than the percentage. */
const BAR_MIN = 8;
const GAP = "  ";

/**
 * The line, no longer than `columns`: a longer one would wrap, and only its last
 * row would be erased. Where there is little room the bar is shorter or missing,
 * then the sizes, and then the label is cut.
 */
export function fitLine(parts: LineParts, columns: number): string {
  const { label, sizes, rate, left } = parts;
  const percent = parts.part === undefined
    ? undefined
    : `${Math.floor(parts.part * 100)}%`;
  const all = join(label, percent, sizes, rate, left);
  // The percentage has four places behind a bar, which must not tremble.
  const room = columns - join(label, "100%", sizes, rate, left).length - 1;
  if (percent !== undefined && room >= BAR_MIN) {
    const bar = drawBar(parts.part ?? 0, Math.min(BAR_MAX, room));
    return join(label, `${bar} ${percent.padStart(4)}`, sizes, rate, left);
  }
  if (all.length <= columns) return all;
  const tail = percent === undefined
    ? join(sizes, rate)
    : join(percent, rate, left);
  const roomForLabel = columns - tail.length - GAP.length;
  return join(shorten(label, roomForLabel), tail).slice(0, columns);
}

function join(...texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined && text !== "").join(GAP);
}

function drawBar(part: number, width: number): string {
  const full = Math.min(width, Math.floor(part * width));
  return "█".repeat(full) + "░".repeat(width - full);
}

function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  return length < 2 ? "" : `${text.slice(0, length - 1)}…`;
}
