/**
 * Decides by the status of an answer whether another attempt makes sense.
 *
 * @module
 */

const TRANSIENT: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

/** Whether the same request may end well later. */
export function isTransient(status: number): boolean {
  return TRANSIENT.includes(status);
}

/**
 * How long the other side asks to wait, in milliseconds (`Retry-After`: seconds
 * or a date); 0 without the header, or when it can't be understood.
 */
export function retryAfterMs(headers: Headers, now = Date.now()): number {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const time = Date.parse(text);
  return Number.isNaN(time) ? 0 : Math.max(time - now, 0);
}
