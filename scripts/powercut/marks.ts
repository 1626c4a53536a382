/**
 * The workload's requests and the store's answers, as marks in the log of the
 * disk, between the writes that came before and those that came after.
 *
 * @module
 */

import { join } from "node:path";
import { crc64 } from "@raft/snapshots/crc64";
import { Expectations } from "../../tests/crash/expectations.ts";

/** One recorded request or answer. */
type Mark =
  | { readonly what: "begin" | "end" }
  | { readonly what: "retain"; readonly count: number }
  | {
    readonly what: "publishing" | "exporting" | "exported";
    readonly name: string;
    /** The file that has the content. */
    readonly content: string;
  }
  | {
    readonly what:
      | "acknowledged"
      | "refused"
      | "deleting"
      | "deleted"
      | "sealed"
      | "corrupted";
    readonly name: string;
  };

/** Whether a mark says where the work begins or ends. */
export function isMark(text: string, what: "begin" | "end"): boolean {
  return (JSON.parse(text) as Mark).what === what;
}

/** Expectations that are recorded as marks in the log of the disk, too. */
export class LoggedExpectations extends Expectations {
  readonly #control: Deno.FsFile;
  readonly #contents: string;

  /** The contents are put into that folder. */
  constructor(control: string, contents: string) {
    super();
    this.#control = Deno.openSync(control, { write: true });
    this.#contents = contents;
  }

  /** The work begins; all that was done before is durable. */
  begin(): void {
    this.#mark({ what: "begin" });
  }

  /** The work has ended. */
  end(): void {
    this.#mark({ what: "end" });
    this.#control.close();
  }

  /** How many snapshots the store keeps. */
  keep(count: number): void {
    this.retain = count;
    this.#mark({ what: "retain", count });
  }

  override publishing(name: string, state: Uint8Array): void {
    super.publishing(name, state);
    this.#mark({ what: "publishing", name, content: this.#put(state) });
  }

  override acknowledged(name: string): void {
    super.acknowledged(name);
    this.#mark({ what: "acknowledged", name });
  }

  override refused(name: string): void {
    super.refused(name);
    this.#mark({ what: "refused", name });
  }

  override deleting(name: string): void {
    super.deleting(name);
    this.#mark({ what: "deleting", name });
  }

  override deleted(name: string): void {
    super.deleted(name);
    this.#mark({ what: "deleted", name });
  }

  override sealed(name: string): void {
    super.sealed(name);
    this.#mark({ what: "sealed", name });
  }

  override corrupted(name: string): void {
    super.corrupted(name);
    this.#mark({ what: "corrupted", name });
  }

  override exporting(name: string, archive: Uint8Array): void {
    super.exporting(name, archive);
    this.#mark({ what: "exporting", name, content: this.#put(archive) });
  }

  override exported(name: string, archive: Uint8Array): void {
    super.exported(name, archive);
    this.#mark({ what: "exported", name, content: this.#put(archive) });
  }

  #put(bytes: Uint8Array): string {
    const path = join(this.#contents, `${crc64(bytes)}-${bytes.length}`);
    Deno.writeFileSync(path, bytes);
    return path;
  }

  /** Returns when the mark is in the log: nothing later can come before it. */
  #mark(mark: Mark): void {
    const command = `mark ${JSON.stringify(mark)}`;
    this.#control.writeSync(new TextEncoder().encode(command));
  }
}

/** The expectations once the marks were made. */
export async function expectationsOf(
  marks: readonly string[],
): Promise<Expectations> {
  const expectations = new Expectations();
  for (const text of marks) await enter(expectations, JSON.parse(text) as Mark);
  return expectations;
}

async function enter(expectations: Expectations, mark: Mark): Promise<void> {
  switch (mark.what) {
    case "begin":
    case "end":
      return;
    case "retain":
      expectations.retain = mark.count;
      return;
    case "publishing":
    case "exporting":
    case "exported":
      return expectations[mark.what](
        mark.name,
        await Deno.readFile(mark.content),
      );
    default:
      return expectations[mark.what](mark.name);
  }
}
