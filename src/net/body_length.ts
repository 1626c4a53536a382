/**
 * The length of an answer's body.
 *
 * @module
 */

/**
 * How long the body of an answer is, as far as its headers tell. Without that, a
 * connection that was cut can look like the end of the answer.
 */
export function lengthOf(
  { headers }: Pick<Response, "headers">,
): number | undefined {
  const encoding = headers.get("content-encoding") ?? "";
  const length = headers.get("content-length") ?? "";
  // The length of a compressed body is another one.
  const isPlain = ["", "identity", "aws-chunked"].includes(encoding);
  return isPlain && /^\d{1,16}$/.test(length) ? Number(length) : undefined;
}
