import { describe, it } from "node:test";
import * as fc from "fast-check";
import { holdsFor } from "../fuzz/property.ts";
import { commands, Real } from "./commands.ts";
import { Model } from "./model.ts";

describe("a store", () => {
  it("agrees with its model on random calls in random order", () =>
    holdsFor(
      fc.commands(commands, { maxCommands: 80, size: "max" }),
      300,
      async (commands) => {
        const real = new Real();
        const model = new Model();
        await real.open(model.retain);
        await fc.asyncModelRun(() => ({ model, real }), commands);
        await real.opened.close();
      },
    ));
});
