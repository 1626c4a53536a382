/**
 * A URL that is not an instance of this realm's class, as jsdom's are not.
 *
 * @module
 */

/** The URL, of a class that has nothing in common with this realm's. */
export function urlOfAnotherRealm(text: string): URL {
  const url = new URL(text);
  return new (class {
    get href() {
      return url.href;
    }
    get protocol() {
      return url.protocol;
    }
    toString() {
      return url.href;
    }
  })() as URL;
}
