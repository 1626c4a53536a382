/**
 * The bytes of meta.json, which must be those of Go's encoder.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encodeRecord,
  type MetaRecord,
} from "../../../src/snapshot/meta/encode.ts";
import {
  decode,
  encode,
  INIT,
  save,
  StoreFixture,
} from "../../support/store_fixture.ts";

const META: MetaRecord = {
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
};

function textOf(changes: Partial<MetaRecord> = {}): string {
  return decode(encodeRecord({ ...META, ...changes }));
}

/** How a server's name is written. */
function quoted(name: string): string | undefined {
  const servers = [{ suffrage: "voter", id: name, address: "" }] as const;
  return /"ID":("(?:[^"\\]|\\.)*"),"Address"/
    .exec(textOf({ configuration: { servers } }))?.[1];
}

describe("encodeRecord()", () => {
  it("writes the bytes that Go writes", () => {
    assert.equal(
      textOf(),
      '{"Version":1,"ID":"3-10-1795361690419","Index":10,"Term":3,' +
        '"Peers":"kalvdmVyIGhlcmU=",' +
        '"Configuration":{"Servers":[{"Suffrage":0,"ID":"my id",' +
        '"Address":"over here"}]},' +
        '"ConfigurationIndex":2,"Size":13,"CRC":"Fin9h3zOPWw="}\n',
    );
  });

  it("writes no CRC as null, and no servers as an empty list", () => {
    const text = textOf({ crc: null, size: 0, configuration: { servers: [] } });
    assert.match(text, /"Configuration":\{"Servers":\[\]\},/);
    assert.match(text, /"Size":0,"CRC":null\}\n$/);
  });

  it("numbers the suffrages as Go does", () => {
    const servers = (["voter", "nonvoter", "staging"] as const).map(
      (suffrage) => ({ suffrage, id: "", address: "" }),
    );
    const text = textOf({ configuration: { servers } });
    const numbers = [...text.matchAll(/"Suffrage":(\d)/g)].map(([, n]) => n);
    assert.deepEqual(numbers, ["0", "1", "2"]);
  });

  it("writes every uint64 and size in full", () => {
    const max = 2n ** 64n - 1n;
    const text = textOf({
      index: max,
      term: max,
      configurationIndex: max,
      size: Number.MAX_SAFE_INTEGER,
      crc: max,
    });
    const fields = '"Index":18446744073709551615,"Term":18446744073709551615,';
    assert.ok(text.includes(fields));
    assert.ok(text.includes('"ConfigurationIndex":18446744073709551615,'));
    assert.ok(text.includes('"Size":9007199254740991,"CRC":"//////////8="}'));
  });

  it("writes a CRC with its leading zeros", () => {
    assert.ok(textOf({ crc: 1n }).includes('"CRC":"AAAAAAAAAAE="'));
    assert.ok(textOf({ crc: 0n }).includes('"CRC":"AAAAAAAAAAA="'));
  });

  it("escapes the same characters as Go, and no others", () => {
    const table: readonly (readonly [string, string])[] = [
      ['"', '"\\""'],
      ["\\", '"\\\\"'],
      ["/", '"/"'],
      ["<>&", '"\\u003c\\u003e\\u0026"'],
      ["\u2028\u2029", '"\\u2028\\u2029"'],
      ["\n\r\t\b\f", '"\\n\\r\\t\\b\\f"'],
      ["\0\x01\x0b\x1f", '"\\u0000\\u0001\\u000b\\u001f"'],
      [
        "\x7f\x80\u2027\u202a\ufeff\ufffd",
        '"\x7f\x80\u2027\u202a\ufeff\ufffd"',
      ],
      ["é日🦀", '"é日🦀"'],
      ["'`$", '"\'`$"'],
    ];
    for (const [name, expected] of table) assert.equal(quoted(name), expected);
  });

  it("writes half of a surrogate pair as Go writes invalid UTF-8", () => {
    assert.equal(quoted("\ud83e"), '"\\ufffd"');
    assert.equal(quoted("a\udd80b"), '"a\\ufffdb"');
    assert.equal(quoted("\udd80\ud83e"), '"\\ufffd\\ufffd"');
    assert.equal(quoted("\ud83e\udd80"), '"🦀"');
  });
});

describe("the meta.json of a store", () => {
  it("has no size and no CRC until the snapshot is published", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open({ clock: () => 1795361690419 });
    const sink = await store.create(INIT);
    const provisional = decode(fixture.read(`${sink.id}.tmp`, "meta.json"));
    const writer = sink.getWriter();
    await writer.write(encode("first\nsecond\n"));
    await writer.close();
    const final = decode(fixture.read(sink.id, "meta.json"));
    assert.equal(final, textOf());
    assert.equal(provisional, textOf({ size: 0, crc: null }));
    assert.deepEqual(
      fixture.read(sink.id, "state.bin"),
      encode("first\nsecond\n"),
    );
    await store.close();
  });

  it("is refused when it would be too long to be read again", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const huge = "x".repeat(1024 * 1024);
    const servers = [{ suffrage: "nonvoter", id: huge, address: "" }] as const;
    await assert.rejects(
      store.create({ ...INIT, configuration: { servers } }),
      RangeError,
    );
    assert.deepEqual(fixture.names(), []);
    assert.equal(fixture.openHandles, 0);
    await store.close();
  });

  it("may be as long as a reader accepts", async () => {
    const fixture = new StoreFixture();
    const store = await fixture.open();
    const long = "x".repeat(1024 * 1024 - 500);
    const servers = [{ suffrage: "nonvoter", id: long, address: "" }] as const;
    const id = await save(store, "state", { configuration: { servers } });
    const [meta] = await store.list();
    assert.equal(meta?.id, id);
    assert.equal(meta.configuration.servers[0]?.id.length, long.length);
    await store.close();
  });
});
