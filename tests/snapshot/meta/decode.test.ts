/**
 * Reading meta.json: the texts of every version of Go's store, and harmful ones.
 * tests/interop asks Go itself; this runs without it.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotCorruptError } from "@raft/snapshots";
import {
  type DecodedRecord,
  decodeRecord,
} from "../../../src/snapshot/meta/decode.ts";
import { encodeRecord } from "../../../src/snapshot/meta/encode.ts";
import { encode } from "../../support/store_fixture.ts";

/** Fields as JSON text, by name. */
type Fields = Readonly<Record<string, string>>;

const FIELDS: Fields = {
  Version: "1",
  ID: '"3-10-1795361690419"',
  Index: "10",
  Term: "3",
  Peers: '"kalvdmVyIGhlcmU="',
  Configuration:
    '{"Servers":[{"Suffrage":0,"ID":"my id","Address":"over here"}]}',
  ConfigurationIndex: "2",
  Size: "13",
  CRC: '"Fin9h3zOPWw="',
};

function textOf(fields: Fields): string {
  const members = Object.entries(fields).map(([key, value]) =>
    `${JSON.stringify(key)}:${value}`
  );
  return `{${members.join(",")}}\n`;
}

function decodeText(text: string): DecodedRecord {
  return decodeRecord(encode(text), "meta.json");
}

/** Decodes the ordinary fields with these in place of some. */
function decodeWith(fields: Fields): DecodedRecord {
  return decodeText(textOf({ ...FIELDS, ...fields }));
}

function refuses(text: string | Uint8Array): void {
  const bytes = typeof text === "string" ? encode(text) : text;
  assert.throws(
    () => decodeRecord(bytes, "meta.json"),
    (error) => {
      assert.ok(error instanceof SnapshotCorruptError, String(error));
      assert.equal(error.reason, "meta");
      assert.ok(error.message.length < 500, "a short message");
      assert.doesNotMatch(error.message, /[\p{Cc}\p{Cf}]/u);
      return true;
    },
    JSON.stringify(String(text).slice(0, 100)),
  );
}

function refusesWith(field: string, values: readonly string[]): void {
  for (const value of values) refuses(textOf({ ...FIELDS, [field]: value }));
}

describe("decodeRecord()", () => {
  it("reads the metadata that Go writes", () => {
    assert.deepEqual(decodeWith({}), {
      version: 1,
      id: "3-10-1795361690419",
      index: 10n,
      term: 3n,
      peers: Uint8Array.of(0x91, 0xa9, ...encode("over here")),
      configuration: {
        servers: [{ suffrage: "voter", id: "my id", address: "over here" }],
      },
      configurationIndex: 2n,
      size: 13,
      crc: 0x1629fd877cce3d6cn,
    });
  });

  it("keeps every bit of a uint64", () => {
    const max = "18446744073709551615";
    const odd = "9007199254740993";
    const meta = decodeWith({ Index: max, Term: odd, ConfigurationIndex: max });
    assert.equal(meta.index, 2n ** 64n - 1n);
    assert.equal(meta.term, 9007199254740993n);
    assert.equal(meta.configurationIndex, 2n ** 64n - 1n);
    assert.equal(decodeWith({ CRC: '"//////////8="' }).crc, 2n ** 64n - 1n);
  });

  it("gives a missing or null field Go's zero value", () => {
    const zero: DecodedRecord = {
      version: 0,
      id: "",
      index: 0n,
      term: 0n,
      peers: new Uint8Array(0),
      configuration: { servers: [] },
      configurationIndex: 0n,
      size: 0,
      crc: null,
    };
    assert.deepEqual(decodeText("{}"), zero);
    const nulls = Object.keys(FIELDS).map((key) => [key, "null"]);
    assert.deepEqual(decodeText(textOf(Object.fromEntries(nulls))), zero);
  });

  it("reads a list of servers that is null, empty, or has null in it", () => {
    for (const servers of ["null", "[]"]) {
      const meta = decodeWith({ Configuration: `{"Servers":${servers}}` });
      assert.deepEqual(meta.configuration, { servers: [] });
    }
    const { configuration } = decodeWith({
      Configuration: '{"Servers":[null,{},{"Suffrage":2,"ID":null}]}',
    });
    const zero = { suffrage: "voter", id: "", address: "" };
    assert.deepEqual(configuration.servers, [
      zero,
      zero,
      { ...zero, suffrage: "staging" },
    ]);
  });

  it("ignores unknown fields, wherever they are", () => {
    const meta = decodeWith({
      Codec: '{"deep":[1.5e300,-0,true,false,null,"\\u0000",{"x":{}}]}',
      Configuration: '{"Servers":[{"Suffrage":1,"New":1}],"New":[]}',
      ["__proto__"]: "1",
      "": '""',
    });
    assert.equal(meta.index, 10n);
    assert.equal(meta.configuration.servers[0]?.suffrage, "nonvoter");
  });

  it("takes no field from a prototype", () => {
    const text = textOf({ ...FIELDS }).replace(
      '"ID":"3-10-1795361690419"',
      '"__proto__":{"ID":"9-9-9","Index":99}',
    );
    const meta = decodeText(text);
    assert.equal(meta.id, "");
    assert.equal(meta.index, 10n);
    assert.equal(({} as Record<string, unknown>)["Index"], undefined);
  });

  it("reads other spacing, other orders, and every escape", () => {
    const reversed = Object.fromEntries(Object.entries(FIELDS).reverse());
    const spaced = textOf(reversed).replaceAll(",", " ,\t\n\r ");
    assert.deepEqual(decodeText(`\n ${spaced} \r\n`), decodeWith({}));
    const { id } = decodeWith({
      ID: '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u003c\\u00e9\\ud83e\\udd80"',
    });
    assert.equal(id, '"\\/\b\f\n\r\t<é🦀');
    assert.equal(decodeWith({ ID: '"\\ud83e!"' }).id, "\ufffd!");
  });

  it("reads base64 as Go does", () => {
    assert.deepEqual(decodeWith({ Peers: '""' }).peers, new Uint8Array(0));
    const broken = decodeWith({ Peers: '"ka\\nlv\\r\\ndmVyIGhlcmU="' });
    assert.deepEqual(broken.peers, decodeWith({}).peers);
    refusesWith("Peers", [
      '"kalvdmVyIGhlcmU"',
      '"kalv dmVyIGhlcmU="',
      '"-_=="',
      '"A==="',
      '"AA=A"',
      '"%%%%"',
      "17",
      "{}",
    ]);
  });

  it("refuses a CRC that is not 8 bytes, and one that is an array", () => {
    refusesWith("CRC", [
      '""',
      '"Fin9h3zOPQ=="',
      '"Fin9h3zOPWwA"',
      "[22,41,253,135,124,206,61,108]",
      "1629",
      "true",
    ]);
  });

  it("refuses a number that is too large for its field", () => {
    for (const field of ["Index", "Term", "ConfigurationIndex"]) {
      refusesWith(field, [
        "-1",
        "-0",
        "18446744073709551616",
        "1.0",
        "1.5",
        "1e3",
        "1E0",
        '"10"',
        "true",
        "[]",
        "{}",
        "9".repeat(1000),
      ]);
    }
    refusesWith("Version", ["1.0", "9223372036854775808", '"1"', "1e0"]);
    refusesWith("Size", [
      "-1",
      "-9223372036854775808",
      "9223372036854775807",
      "9007199254740992",
      "13.0",
      '"13"',
    ]);
    assert.equal(decodeWith({ Size: "9007199254740991" }).size, 2 ** 53 - 1);
  });

  it("accepts other versions, which the store refuses", () => {
    assert.equal(decodeWith({ Version: "0" }).version, 0);
    assert.equal(decodeWith({ Version: "2" }).version, 2);
    assert.equal(decodeWith({ Version: "-7" }).version, -7);
  });

  it("refuses an unknown suffrage", () => {
    const values = ["3", "-1", '"Voter"', "0.0", "4294967296"];
    refusesWith(
      "Configuration",
      values.map((value) => `{"Servers":[{"Suffrage":${value}}]}`),
    );
  });

  it("refuses values of another type", () => {
    refusesWith("ID", ["1", "[]", "{}", "true"]);
    refusesWith("Configuration", ["[]", "1", '""']);
    refusesWith("Configuration", ['{"Servers":{}}', '{"Servers":["a"]}']);
    refusesWith("Configuration", ['{"Servers":[{"ID":1}]}']);
  });

  it("refuses keys of another case, which Go would read", () => {
    refuses(textOf({ ...FIELDS, id: '"9-9-9"' }));
    refuses(textOf({ ...FIELDS, "\u017fize": "1" })); // folds to Size
    refusesWith("Configuration", ['{"servers":[]}']);
    refusesWith("Configuration", ['{"Servers":[{"address":"x"}]}']);
  });

  it("quotes control characters as text, and only a short part of a value", () => {
    const text = "\u001b[31m\u009b31m\u202e\u007f";
    refuses(text);
    refusesWith("Version", [`"${text.slice(1)}"`]);
    refusesWith("CRC", [`"${text.slice(1)}"`]);
    const key = `"${text.slice(1)}${"k".repeat(1000)}"`;
    refuses(`{${key}:1,${key}:2}`);
  });

  it("refuses a key that is given twice", () => {
    const text = textOf(FIELDS);
    refuses(text.replace("{", '{"Size":13,'));
    refuses(text.replace("{", '{"Size":14,'));
    refuses(text.replace('"Suffrage":0', '"Suffrage":0,"Suffrage":1'));
  });

  it("refuses bytes that are not exactly one JSON value in UTF-8", () => {
    const text = textOf(FIELDS);
    for (const length of [0, 1, 20, text.length - 2]) {
      refuses(text.slice(0, length));
    }
    refuses(text + "{}");
    refuses(text + "x");
    refuses("\ufeff" + text);
    refuses(text.replaceAll('"', "'"));
    refuses(text.replace("}\n", ",}\n"));
    refuses(text.replace("{", "/**/{"));
    refuses(text.replace("my id", "my\nid"));
    refuses(text.replace(":10,", ":010,"));
    refuses(text.replace(":10,", ":+10,"));
    refuses(text.replace(":10,", ":0x10,"));
    refuses(text.replace(":10,", ":NaN,"));
    refuses(text.replace("my id", "\\x41"));
    refuses("\0".repeat(100));
    for (const other of ["[]", "null", "1", '"text"', "true"]) refuses(other);
    const bytes = encode(text);
    bytes[text.indexOf("my id")] = 0xff;
    refuses(bytes);
  });

  it("refuses a text that is too long or too deep, at once", () => {
    refuses(`{"X":"${"x".repeat(1024 * 1024)}"}`);
    const deep = 200_000;
    refuses("[".repeat(deep));
    refuses(`{"X":${"[".repeat(deep)}${"]".repeat(deep)}}`);
    refuses(`{"X":${'{"a":'.repeat(deep)}1${"}".repeat(deep)}}`);
    refuses(`{"X":${"[".repeat(1500)}${"]".repeat(1500)}}`);
    const fair = `{"X":${"[".repeat(900)}${"]".repeat(900)}}`;
    assert.equal(decodeText(fair).version, 0);
    refuses(`{"X":"${"\\".repeat(3)}"`);
  });

  it("reads the metadata that the encoder writes", () => {
    const { version: _, ...meta } = decodeWith({
      ID: JSON.stringify('<&>\u2028 "quoted" \\ \u0000 é🦀'),
    });
    const bytes = encodeRecord({ ...meta, version: 1 });
    assert.deepEqual(decodeRecord(bytes, "x"), { ...meta, version: 1 });
  });
});
