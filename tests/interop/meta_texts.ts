/**
 * Makes texts that a `meta.json` might contain: as Go writes them, as Go reads
 * but never writes them, broken, and hostile. A seed reproduces them.
 *
 * Texts are put together as strings with a character for each *byte*, so that
 * they need not be UTF-8.
 *
 * @module
 */

import type { Random } from "../support/random.ts";
import {
  BYTES,
  NUMBERS,
  SIGNIFICANT,
  STRINGS,
  STRUCTURES,
  utf8,
} from "./meta_pieces.ts";

/** The bytes of a binary string. */
export function bytesOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The ID in the texts; a test may want another. */
export const USUAL_ID = "3-10-1795361690419";

/** A member of an object: its key and its value, both as they are written. */
type Member = readonly [key: string, value: string];

function usualMembers(id: string): Member[] {
  const [term = "", index = ""] = id.split("-");
  return [
    ['"Version"', "1"],
    ['"ID"', `"${id}"`],
    ['"Index"', index],
    ['"Term"', term],
    ['"Peers"', '"kalvdmVyIGhlcmU="'],
    ['"Configuration"', '{"Servers":[]}'],
    ['"ConfigurationIndex"', "2"],
    ['"Size"', "13"],
    ['"CRC"', '"Fin9h3zOPWw="'],
  ];
}

const USUAL_SERVER: readonly Member[] = [
  ['"Suffrage"', "0"],
  ['"ID"', '"my id"'],
  ['"Address"', '"over here"'],
];

/** Makes texts from a seed's randomness. */
export class MetaTexts {
  readonly #random: Random;
  readonly #id: string;

  constructor(random: Random, id: string = USUAL_ID) {
    this.#random = random;
    this.#id = id;
  }

  /** A text of the usual form with one to three things out of the ordinary. */
  varied(): string {
    const { integer, chance } = this.#random;
    let members = usualMembers(this.#id);
    if (chance(0.7)) this.#setServers(members);
    for (let n = integer(4); n > 0; n--) members = this.#vary(members);
    return this.#frame(this.#object(members));
  }

  /** Such a text with a few bytes changed. */
  mutated(): string {
    let text = this.varied();
    for (let n = 1 + this.#random.integer(4); n > 0; n--) {
      text = this.#mutate(text);
    }
    return text;
  }

  #setServers(members: Member[]): void {
    const { integer, chance } = this.#random;
    const servers: string[] = [];
    for (let n = integer(4); n > 0; n--) {
      let server = [...USUAL_SERVER];
      if (chance(0.5)) server = this.#vary(server);
      servers.push(this.#object(server));
    }
    let configuration: Member[] = [['"Servers"', `[${servers.join(",")}]`]];
    if (chance(0.1)) configuration = this.#vary(configuration);
    members[5] = ['"Configuration"', this.#object(configuration)];
  }

  /** One change to the members of an object. */
  #vary(members: readonly Member[]): Member[] {
    const { integer, pick } = this.#random;
    const changed = [...members];
    if (changed.length === 0) return [this.#stranger()];
    const at = integer(changed.length);
    const [key, value] = pick(changed.slice(at, at + 1));
    switch (integer(9)) {
      case 0: // another spelling of the key
        changed[at] = [this.#key(key), value];
        break;
      case 1: // no such member
        changed.splice(at, 1);
        break;
      case 2: // the same key again
        changed.splice(integer(changed.length + 1), 0, [
          this.#random.chance(0.5) ? key : this.#key(key),
          this.#random.chance(0.5) ? value : this.#value(key),
        ]);
        break;
      case 3: // a member that Go does not know
        changed.splice(at, 0, this.#stranger());
        break;
      case 4: // another order
        changed.splice(at, 1);
        changed.splice(integer(changed.length + 1), 0, [key, value]);
        break;
      default:
        changed[at] = [key, this.#value(key)];
    }
    return changed;
  }

  #stranger(): Member {
    const { pick } = this.#random;
    const key = pick([
      '"Unknown"',
      '""',
      '"__proto__"',
      '"constructor"',
      '"toString"',
      '"hasOwnProperty"',
      '"SnapshotMeta"',
      '"\\u0000"',
      '"V"',
      '"Versions"',
      utf8('"Vérsion"'),
      utf8('"Ⅰndex"'),
      '"I\xffD"',
    ]);
    const value = pick([...STRUCTURES, ...NUMBERS, ...STRINGS, "[[[[{}]]]]"]);
    return [key, value];
  }

  /** A value for the member, mostly of a type that it might be. */
  #value(key: string): string {
    const { pick, chance, integer } = this.#random;
    if (chance(0.15)) {
      return pick([...STRUCTURES, ...NUMBERS, ...STRINGS, ...BYTES]);
    }
    if (/ID|Address/i.test(key)) {
      return chance(0.2) ? `"${this.#id}"` : pick(STRINGS);
    }
    if (/Peers|CRC/i.test(key)) return pick(BYTES);
    if (/Servers|Configuration"/i.test(key)) return pick(STRUCTURES);
    if (chance(0.3)) return String(integer(4));
    return chance(0.3)
      ? this.#random.bytes(9).join("").slice(0, 17 + integer(5))
      : pick(NUMBERS);
  }

  /** Another spelling of a key, which Go may take for the same. */
  #key(key: string): string {
    const { pick, integer, chance } = this.#random;
    const name = key.slice(1, -1);
    const at = integer(name.length);
    const letter = name.slice(at, at + 1);
    const replaced = (by: string) =>
      `"${name.slice(0, at)}${by}${name.slice(at + 1)}"`;
    const hex = letter.charCodeAt(0).toString(16).padStart(4, "0");
    return pick([
      () => key.toLowerCase(),
      () => key.toUpperCase(),
      () => replaced(chance(0.5) ? letter.toLowerCase() : letter.toUpperCase()),
      () => replaced(`\\u${hex}`),
      () => replaced(`\\u${hex.toUpperCase()}`),
      () => `"${name.replace(/s/i, utf8("\u017f"))}"`,
      () => `"${name.replace(/s/i, "\\u017f")}"`,
      () => `"${name.replace(/i/i, utf8("\u0131"))}"`,
      () => `"${name.replace(/i/i, utf8("\u0130"))}"`,
      () => `"${name.replace(/c/i, utf8("\u0421"))}"`, // Cyrillic
      () => replaced(letter + "\xff"),
      () => `" ${name}"`,
      () => `"${name} "`,
      () => `"${name}\\u0000"`,
      () => name,
      () => `'${name}'`,
      () => "1",
    ])();
  }

  #object(members: readonly Member[]): string {
    const { chance, pick } = this.#random;
    if (chance(0.7)) {
      return `{${members.map(([key, value]) => `${key}:${value}`).join(",")}}`;
    }
    const spaces = [" ", "\n", "\t", "\r", "\r\n", "  ", ""];
    if (chance(0.1)) spaces.push("\f", "\v", "\xa0", utf8("\u2028"), "\0");
    const s = () => pick(spaces);
    const written = members.map(([key, value]) =>
      `${s()}${key}${s()}:${s()}${value}${s()}`
    );
    return `{${written.join(",")}${s()}}`;
  }

  /** The object with text before and after it. */
  #frame(object: string): string {
    const { chance, pick } = this.#random;
    let text = object + "\n";
    if (chance(0.03)) {
      text = pick(["\n", " \t\r\n", "\xef\xbb\xbf", "\0", "//\n", ","]) + text;
    }
    if (chance(0.08)) {
      const after = ["", "x", "{}", "null", "\0", "}", "]", ",", "\xff", " 1"];
      text = object + pick(after);
    }
    return text;
  }

  #mutate(text: string): string {
    const { integer, pick } = this.#random;
    const at = integer(text.length + 1);
    const before = text.slice(0, at);
    const after = text.slice(at);
    const significant = pick([...SIGNIFICANT]);
    switch (integer(6)) {
      case 0:
        return before + significant + after.slice(1); // another byte
      case 1:
        return before + significant + after; // one more
      case 2:
        return before + after.slice(1 + integer(3)); // some fewer
      case 3:
        return before + after.slice(0, integer(30)) + after; // some twice
      case 4: { // a flipped bit
        const byte = after.slice(0, 1) || significant;
        const flipped = byte.charCodeAt(0) ^ (1 << integer(8));
        return before + String.fromCharCode(flipped) + after.slice(1);
      }
      default: // cut short, but not often near the start
        return integer(3) > 0 ? text.slice(0, -integer(20) - 1) : before;
    }
  }
}
