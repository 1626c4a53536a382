/**
 * The XML that S3 answers with, as far as it is needed.
 *
 * @module
 */

import { parseXml, type XmlElement } from "@rgrove/parse-xml";
import type { Quote, S3Answer } from "./answer.ts";
import { S3Failure } from "./failure.ts";

/** An element whose children are asked for by their names. */
export class Element {
  readonly #element: XmlElement;
  /** For messages. */
  readonly quote: Quote;

  constructor(element: XmlElement, quote: Quote) {
    this.#element = element;
    this.quote = quote;
  }

  get name(): string {
    return this.#element.name;
  }

  /** The elements in it with that name, in order. */
  all(name: string): Element[] {
    return this.#element.children.flatMap((child) =>
      child.type === "element" && (child as XmlElement).name === name
        ? [new Element(child as XmlElement, this.quote)]
        : []
    );
  }

  /** The text of the first element in it with that name. */
  text(name: string): string | undefined {
    const [first] = this.all(name);
    return first === undefined ? undefined : first.#element.text;
  }
}

/**
 * Reads the document that an answer with a good status has.
 *
 * @throws {S3Failure} when it is not XML, or its root has another name.
 */
export function readXml({ text, quote }: S3Answer, root?: string): Element {
  const found = parse(text, quote);
  if (found !== undefined && (root ?? found.name) === found.name) return found;
  const isCut = found === undefined && mayBeCut(text);
  throw new S3Failure({
    // A truncated answer says nothing about the request, and may come whole the
    // next time.
    status: isCut ? 0 : 200,
    text: `found the answer ${quote(text)}, expected XML` +
      (root === undefined ? "" : ` with the root ${root}`),
  });
}

/** Whether a text that is not XML may be the beginning of XML. */
function mayBeCut(text: string): boolean {
  return /^\s*(<(?!!doctype|html)|$)/i.test(text);
}

/** The root of a document; `undefined` when the text is not XML. */
export function parse(
  text: string,
  quote: Quote,
): Element | undefined {
  try {
    // The parser copies the whole text for each carriage return.
    const plain = text.replace(/\r\n?/g, "\n");
    const { root } = parseXml(plain, { preserveCdata: false });
    return root === null ? undefined : new Element(root, quote);
  } catch {
    // Elements that are nested too deeply throw here, too.
    return undefined;
  }
}

/** The code of an error, if it can be one. */
export function readCode(error: Element): string | undefined {
  const code = error.text("Code");
  return code !== undefined && /^[A-Za-z0-9.]{1,64}$/.test(code) &&
      isPlain(code, error.quote)
    ? code
    : undefined;
}

/** Whether a short text can be shown as it came: no part of it is a key. */
export function isPlain(text: string, quote: Quote): boolean {
  return quote(text) === `"${text}"`;
}

/** A text for use in XML. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}
