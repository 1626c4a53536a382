/**
 * Texts that were written by hand to find the weak spots of a decoder.
 *
 * @module
 */

const MAX_BYTES = 1024 * 1024;

/** The fields that make a text a whole record. */
const REST = '"Version":1,"ID":"3-10-1795361690419","Index":10,"Term":3}';

function nested(depth: number, open: string, close: string): string {
  const value = open.repeat(depth) + close.repeat(depth);
  return `{"Unknown":${value},${REST}`;
}

function padded(length: number): string {
  const text = `{"Unknown":"",${REST}`;
  return `{"Unknown":"${"x".repeat(length - text.length)}",${REST}`;
}

/** Names and texts; a character stands for a byte. */
export const HOSTILE_METAS: Readonly<Record<string, string>> = {
  "nothing": "",
  "a line end": "\n",
  "spaces": " ".repeat(1000),
  "a NUL": "\0",
  "a page of NULs": "\0".repeat(4096),
  "null": "null",
  "true": "true",
  "a number": "5",
  "a string": '"Version"',
  "an array": "[]",
  "a record in an array": `[{${REST}]`,
  "an empty object": "{}",
  "two objects": "{}{}",
  "a record that is cut short": `{${REST.slice(0, -1)}`,
  "a record with a comma too much": `{${REST.slice(0, -1)},}`,
  "a record without its opening brace": REST,
  "only nulls":
    '{"Version":null,"ID":null,"Index":null,"Term":null,"Peers":null,' +
    '"Configuration":null,"ConfigurationIndex":null,"Size":null,"CRC":null}',
  "UTF-16, little endian": `{${REST}`.replaceAll(/./g, "$&\0"),
  "UTF-16, big endian": `{${REST}`.replaceAll(/./g, "\0$&"),
  "UTF-16 with a mark": "\xff\xfe" + `{${REST}`.replaceAll(/./g, "$&\0"),
  "a byte order mark": `\xef\xbb\xbf{${REST}`,
  "a comment": `/**/{${REST}`,
  "a comment within": `{/**/${REST}`,
  "a line comment": `{//\n${REST}`,
  "gzip": "\x1f\x8b\x08\0\0\0\0\0\0\x03",
  "inherited fields": `{"__proto__":{"Version":1,"ID":"x","Index":5}}`,
  "an inherited number": `{"__proto__":{"Size":5,"Index":7},${REST}`,
  "inherited servers":
    `{"Configuration":{"__proto__":{"Servers":[{"ID":"x"}]}},${REST}`,
  "an inherited server":
    `{"Configuration":{"Servers":[{"__proto__":{"ID":"x"}}]},${REST}`,
  "__proto__ twice": `{"__proto__":{},"__proto__":{"Size":5},${REST}`,
  "__proto__ null": `{"__proto__":null,${REST}`,
  "__proto__ number": `{"__proto__":5,${REST}`,
  "a constructor": `{"constructor":{"prototype":{"Size":5}},${REST}`,
  "something that looks lossless":
    `{"Index":{"isLosslessNumber":true,"value":"5"},"Version":1,"ID":"x"}`,
  "servers that look like an array":
    `{"Configuration":{"Servers":{"length":1,"0":{"ID":"x"}}},${REST}`,
  "servers twice": `{"Configuration":{"Servers":[{"ID":"a","Suffrage":2}],` +
    `"Servers":[{"ID":"b"}]},${REST}`,
  "configuration twice": `{"Configuration":{"Servers":[{"ID":"a"}]},` +
    `"Configuration":{},${REST}`,
  "configuration twice alike": `{"Configuration":{"Servers":[{"ID":"a"}]},` +
    `"Configuration":{"Servers":[{"ID":"a"}]},${REST}`,
  "servers as an object, and then as a list":
    `{"Configuration":{"Servers":{}},"Configuration":{"Servers":[]},${REST}`,
  "a list of servers as an object, and then as a list":
    `{"Configuration":{"Servers":{"0":{"ID":"a"}}},` +
    `"Configuration":{"Servers":[{"ID":"a"}]},${REST}`,
  "an index as an object, and then as a number":
    `{"Index":{"value":"5","isLosslessNumber":true},"Index":5,"Version":1}`,
  "the same server twice in one list":
    `{"Configuration":{"Servers":[{"ID":"a"},{"ID":"a"}]},${REST}`,
  "an index twice alike": `{"Index":5,"Index":5,"Version":1,"ID":"x"}`,
  "an index and then null": `{"Index":5,"Index":null,"Version":1,"ID":"x"}`,
  "an index in both cases": `{"Index":5,"index":6,"Version":1,"ID":"x"}`,
  "an index in both cases, turned": `{"index":5,"Index":6,"Version":1}`,
  "an unknown field twice": `{"a":1,"a":2,${REST}`,
  "an unknown field with a broken number": `{"a":01,${REST}`,
  "an unknown field with a huge number": `{"a":1e999999999,${REST}`,
  "an unknown field with a broken escape": `{"a":"\\q",${REST}`,
  "an unknown field with broken UTF-8": `{"a":"\xff",${REST}`,
  "a key of broken UTF-8": `{"\xff":1,${REST}`,
  "arrays 900 deep": nested(900, "[", "]"),
  "objects 900 deep": nested(900, '{"a":', "}").replace(":}", ":1}"),
  "arrays 9,998 deep": nested(9_998, "[", "]"),
  "arrays 9,999 deep": nested(9_999, "[", "]"),
  "arrays 10,000 deep": nested(10_000, "[", "]"),
  "arrays 100,000 deep": nested(100_000, "[", "]"),
  "arrays 500,000 deep": nested(500_000, "[", "]"),
  "objects 100,000 deep": nested(100_000, '{"a":', "}"),
  "brackets that never close": "[".repeat(1_000_000),
  "braces that never close": '{"":'.repeat(250_000),
  "brackets that never opened": "]".repeat(1_000_000),
  "quotes only": '"'.repeat(1_000_000),
  "backslashes only": "\\".repeat(1_000_000),
  "a string of backslashes": `{"a":"${"\\\\".repeat(400_000)}",${REST}`,
  "a string of backslashes that never ends": `{"a":"${"\\".repeat(999_999)}`,
  "a string of quotes": `{"a":"${'\\"'.repeat(400_000)}",${REST}`,
  "a string of escapes": `{"a":"${"\\u0000".repeat(150_000)}",${REST}`,
  "an ID of half a million": `{"ID":"${"x".repeat(500_000)}","Version":1}`,
  "a number of half a million": `{"Index":${"9".repeat(500_000)},"Version":1}`,
  "a number with many noughts": `{"Index":${"0".repeat(500_000)}1}`,
  "a number with a long fraction": `{"Index":1.${"0".repeat(500_000)}}`,
  "a number with a long exponent": `{"Index":1e${"0".repeat(500_000)}}`,
  "a minus of half a million": `{"Index":${"-".repeat(500_000)}1}`,
  "peers of half a million": `{"Peers":"${"A".repeat(500_000)}",${REST}`,
  "peers of line ends": `{"Peers":"${"\\n".repeat(400_000)}",${REST}`,
  "peers of padding": `{"Peers":"${"=".repeat(500_000)}",${REST}`,
  "a CRC of half a million": `{"CRC":"${"A".repeat(500_000)}",${REST}`,
  "100,000 unknown fields": `{${
    Array.from({ length: 50_000 }, (_, i) => `"k${i}":${i},`).join("")
  }${REST}`,
  "20,000 servers": `{"Configuration":{"Servers":[${
    Array.from({ length: 20_000 }, (_, i) => `{"ID":"${i}"}`).join(",")
  }]},${REST}`,
  "20,000 null servers": `{"Configuration":{"Servers":[${
    new Array(20_000).fill("null").join(",")
  }]},${REST}`,
  "1 MiB exactly": padded(MAX_BYTES),
  "a byte more than 1 MiB": padded(MAX_BYTES + 1),
  "2 MiB": padded(2 * MAX_BYTES),
};
