/**
 * What the workload promises, as marks in the log of the disk: between the
 * requests that came before a promise and those that came after it.
 *
 * @module
 */

import { join } from "node:path";
import { crc64 } from "@raft/snapshots/crc64";
import { Ledger } from "../../tests/crash/expectations.ts";

/** One entry of the ledger. */
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
      | "spoiled";
    readonly name: string;
  };

/** Whether it is where the work begins or ends. */
export function isMark(text: string, what: "begin" | "end"): boolean {
  return (JSON.parse(text) as Mark).what === what;
}

/** A ledger that enters everything in the log of the disk, too. */
export class MarkedLedger extends Ledger {
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

  override spoiled(name: string): void {
    super.spoiled(name);
    this.#mark({ what: "spoiled", name });
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

/** The ledger of what had been promised when the marks were made. */
export async function ledgerOf(marks: readonly string[]): Promise<Ledger> {
  const ledger = new Ledger();
  for (const text of marks) await enter(ledger, JSON.parse(text) as Mark);
  return ledger;
}

async function enter(ledger: Ledger, mark: Mark): Promise<void> {
  switch (mark.what) {
    case "begin":
    case "end":
      return;
    case "retain":
      ledger.retain = mark.count;
      return;
    case "publishing":
    case "exporting":
    case "exported":
      return ledger[mark.what](mark.name, await Deno.readFile(mark.content));
    default:
      return ledger[mark.what](mark.name);
  }
}
