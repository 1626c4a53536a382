/**
 * The XML that S3 answers with, as far as it is needed.
 *
 * @module
 */

import { parseXml, type XmlElement } from "@rgrove/parse-xml";
import { quoteAnswer, S3Failure } from "./failure.ts";

/** An element whose children are asked for by their names. */
export class Element {
  readonly #element: XmlElement;

  constructor(element: XmlElement) {
    this.#element = element;
  }

  get name(): string {
    return this.#element.name;
  }

  /** The elements in it with that name, in order. */
  all(name: string): Element[] {
    return this.#element.children.flatMap((child) =>
      child.type === "element" && (child as XmlElement).name === name
        ? [new Element(child as XmlElement)]
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
 * Reads a document.
 *
 * @throws {S3Failure} when it is not XML, or its root has another name.
 */
export function readXml(text: string, root?: string): Element {
  const found = parse(text);
  if (found !== undefined && (root ?? found.name) === found.name) return found;
  throw new S3Failure({
    status: 200,
    text: `found the answer ${quoteAnswer(text)}, expected XML` +
      (root === undefined ? "" : ` with the root ${root}`),
  });
}

/** The root of a document; `undefined` when the text is not XML. */
export function parse(text: string): Element | undefined {
  try {
    const { root } = parseXml(text, { preserveCdata: false });
    return root === null ? undefined : new Element(root);
  } catch {
    // Also of elements that are nested too deeply.
    return undefined;
  }
}

/** A text for use in XML. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}
