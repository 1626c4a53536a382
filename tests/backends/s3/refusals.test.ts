/**
 * Servers that refuse, and servers that do not speak S3: each error says what to
 * do, and none shows a secret.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotError, StoreAccessError } from "@raft/snapshots";
import type { Fetch } from "../../../src/net/exchange.ts";
import {
  memoryBucket,
  type OpenBucketOptions,
} from "../../support/s3/bucket.ts";
import { MemoryS3 } from "../../support/s3/memory_s3.ts";
import { save } from "../../support/store_fixture.ts";
import { urlOfAnotherRealm } from "../../support/url_of_another_realm.ts";

/** Opens a bucket; resolves to the message that it is refused with. */
async function refusal(options: OpenBucketOptions): Promise<string> {
  const tuning = { retry: { budgetMs: 0 } };
  const opening = memoryBucket().open({ tuning, ...options });
  const error = await opening.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof StoreAccessError, String(error));
  return error.message;
}

/** A server that always gives the same answer. */
function always(
  body: string,
  init: ResponseInit = {},
): { fetch: Fetch } {
  return { fetch: () => Promise.resolve(new Response(body, init)) };
}

const answerOf = (code: string) =>
  `<Error><Code>${code}</Code><Message>no</Message></Error>`;

describe("a bucket that can't be used", () => {
  it("is refused when it is not there", async () => {
    const { fetch } = new MemoryS3({ bucket: "another" });
    const message = await refusal({ fetch });
    assert.match(
      message,
      /^Cannot open s3:\/\/bucket\/\S+: the server answered 404 NoSuchBucket, ".*"; create the bucket, or check its name and the endpoint$/,
    );
  });

  it("is refused with a wrong key", async () => {
    const wrongId = { accessKeyId: "wrong", secretAccessKey: "secret" };
    assert.match(
      await refusal({ credentials: wrongId }),
      /403 InvalidAccessKeyId.*check the access key/,
    );
    const wrong = { accessKeyId: "key", secretAccessKey: "hidden-and-wrong" };
    const message = await refusal({ credentials: wrong });
    assert.match(message, /403 SignatureDoesNotMatch.*check the secret key/);
    assert.ok(!message.includes("hidden"));
    // As versitygw answers.
    const unknown = always(answerOf("XAdminUserNotFound"), { status: 404 });
    assert.match(await refusal(unknown), /404 XAdmin.*check the access key/);
  });

  it("is refused with the code of the server where that is not known", async () => {
    for (const status of [400, 404]) {
      const answer = always(answerOf("KMS.DisabledException"), { status });
      const message = await refusal(answer);
      assert.match(message, /KMS\.Dis.*; the code of the server says why$/);
    }
  });

  it("is refused soon when its answer is full of line ends", async () => {
    // The XML parser copies the text once for each carriage return.
    const text = `<Other>${"\r".repeat(1_000_000)}</Other>`;
    assert.match(await refusal(always(text)), /the root ListBucketResult/);
  });

  it("is refused when it is in another region, which is named", async () => {
    const message = await refusal({ region: "eu-central-1" });
    assert.match(
      message,
      /AuthorizationHeaderMalformed.*give the bucket's region/,
    );
    const redirect = always(answerOf("PermanentRedirect"), {
      status: 301,
      headers: { "x-amz-bucket-region": "eu-west-3" },
    });
    assert.match(await refusal(redirect), /\(the server names eu-west-3\)$/);
  });

  it("is refused when this machine's clock is wrong", async () => {
    const inAnHour = () => Date.now() + 3_600_000;
    const { fetch } = new MemoryS3({ clock: inAnHour });
    assert.match(
      await refusal({ fetch }),
      /403 RequestTimeTooSkewed.*; set the clock of this machine$/,
    );
  });

  it("is refused without the right to list it", async () => {
    const { fetch } = new MemoryS3({ denies: (method) => method === "GET" });
    assert.match(
      await refusal({ fetch }),
      /403 AccessDenied.*rights that docs\/object_storage\.md lists$/,
    );
  });

  it("is refused where there is no server of S3", async () => {
    const page = "<!doctype html><html><body>It works!</body></html>";
    const html = await refusal(always(page));
    assert.match(html, /expected XML.*check the endpoint: it must be/);
    assert.match(await refusal(always("{}", { status: 404 })), /404, "{}"/);
    assert.match(await refusal(always("")), /expected XML/);
    const other = await refusal(always("<Other/>"));
    assert.match(other, /with the root ListBucketResult/);
  });

  it("is refused where there is no server at all", async () => {
    const fetch: Fetch = () =>
      Promise.reject(
        new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") }),
      );
    const message = await refusal({ fetch });
    assert.match(
      message,
      /fetch failed: ECONNREFUSED; check the endpoint and the network$/,
    );
  });

  it("is tried again for a while, which is told each time", async () => {
    const bucket = memoryBucket();
    const answers = [() => Promise.reject(new TypeError("refused"))];
    const store = await bucket.open({
      fetch: (url, init) => answers.shift()?.() ?? bucket.fetch(url, init),
    });
    await store.close();
    assert.deepEqual(bucket.log.matching("warn"), [
      `warn: Cannot list the objects in ${bucket.location}: refused; trying again`,
    ]);
  });

  it("is refused at once when its certificate is not trusted", async () => {
    let count = 0;
    const fetch: Fetch = () => {
      count++;
      const code = "DEPTH_ZERO_SELF_SIGNED_CERT";
      const cause = Object.assign(new Error("self-signed"), { code });
      return Promise.reject(new TypeError("fetch failed", { cause }));
    };
    const tuning = { retry: { budgetMs: 60_000, pauseMs: 1 } };
    const message = await refusal({ fetch, tuning });
    assert.match(message, /self-signed; use the name that the certificate/);
    assert.equal(count, 1);
  });

  it("is refused when an answer is longer than any can be", async () => {
    const long = `<ListBucketResult>${"<A/>".repeat(2_500_000)}`;
    assert.match(await refusal(always(long)), /more than 4194304 bytes/);
    const failure = always("x".repeat(10_000_000), { status: 400 });
    assert.ok((await refusal(failure)).length < 1000);
  });

  it("is refused when its listing can't be true", async () => {
    const listing = (inside: string) =>
      always(`<ListBucketResult>${inside}</ListBucketResult>`);
    const object = (size: string, time: string, etag = "<ETag>e</ETag>") =>
      listing(
        `<Contents><Key>k</Key>${etag}<Size>${size}</Size>` +
          `<LastModified>${time}</LastModified></Contents>`,
      );
    const time = "2026-01-01T00:00:00Z";
    for (const size of ["-1", "1e3", "99999999999999999", "", "٣"]) {
      assert.match(await refusal(object(size, time)), /the size/);
    }
    assert.match(
      await refusal(object("1", "yesterday")),
      /the time "yesterday"/,
    );
    assert.match(await refusal(object("1", time, "")), /Contents without ETag/);
    const endless = "<IsTruncated>true</IsTruncated>";
    assert.match(await refusal(listing(endless)), /NextContinuationToken/);
    const same = `${endless}<NextContinuationToken>a</NextContinuationToken>`;
    assert.match(await refusal(listing(same)), /has no end/);
    const encoded =
      "<EncodingType>url</EncodingType><Contents><Key>%E0%A4</Key>" +
      "</Contents>";
    assert.match(await refusal(listing(encoded)), /the key "%E0%A4"/);
  });

  it("is refused by XML that is nested without end, or has entities of its own", async () => {
    const nested = "<a>".repeat(1_000_000);
    assert.match(await refusal(always(nested)), /expected XML/);
    const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' +
      "<ListBucketResult>&b;</ListBucketResult>";
    assert.match(await refusal(always(bomb)), /expected XML/);
  });

  it("shows no key that an answer with a good status has in it", async () => {
    const credentials = {
      accessKeyId: "key",
      secretAccessKey: "secret-of-mine",
    };
    const listing = (inside: string) =>
      `<ListBucketResult>${inside}</ListBucketResult>`;
    const answers = [
      "secret-of-mine",
      `<${"x".repeat(190)}secret-of-mine`,
      "<html>secret-of-mine</html>",
      listing(
        "<Contents><Key>k</Key><ETag>e</ETag><Size>secret-of-mine</Size>" +
          "</Contents>",
      ),
      listing(
        "<Contents><Key>k</Key><ETag>e</ETag><Size>1</Size>" +
          "<LastModified>secret-of-mine</LastModified></Contents>",
      ),
    ];
    for (const answer of answers) {
      const message = await refusal({ ...always(answer), credentials });
      assert.doesNotMatch(message, /secret-/);
      assert.match(message, /\[sec/);
    }
  });

  it("tells the error's code whatever the secret is", async () => {
    for (const secretAccessKey of ["s", "e", "Error", "<", "Code"]) {
      const credentials = { accessKeyId: "key", secretAccessKey };
      const denied = always(answerOf("AccessDenied"), { status: 403 });
      assert.match(
        await refusal({ ...denied, credentials }),
        /403 AccessDenied, "no"; give the credentials the rights/,
      );
    }
  });

  it("shows no key that its code, region or escaped message has in it", async () => {
    const withKey = (secretAccessKey: string, body: string, status: number) =>
      refusal({
        ...always(body, { status }),
        credentials: { accessKeyId: "key", secretAccessKey },
      });
    const code = await withKey("secretofmine", answerOf("Xsecretofmine"), 400);
    assert.doesNotMatch(code, /secretofmine/);
    const region = "<Error><Code>PermanentRedirect</Code>" +
      "<Region>secretofmine</Region></Error>";
    const redirected = await withKey("secretofmine", region, 301);
    assert.match(redirected, /PermanentRedirect/);
    assert.doesNotMatch(redirected, /secretofmine/);
    const message = "<Error><Code>Odd</Code><Message>secret&amp;of&#45;mine" +
      "</Message></Error>";
    const escaped = await withKey("secret&of-mine", message, 400);
    assert.match(escaped, /Odd, "\[secret\]"/);
  });

  it("has its text quoted, cut, and without the keys", async () => {
    const text = `\u001b[2J\u202e${"x".repeat(500)} secret-of-mine`;
    const escaped = text.replace("\u001b", "");
    const body = `<Error><Code>Odd</Code><Message>secret-of-mine ${escaped}` +
      "</Message></Error>";
    const credentials = {
      accessKeyId: "key",
      secretAccessKey: "secret-of-mine",
    };
    const message = await refusal({
      ...always(body, { status: 400 }),
      credentials,
    });
    assert.ok(message.length < 500, message);
    assert.ok(!message.includes("secret-of-mine"), message);
    assert.match(message, /\[secret\]/);
    assert.doesNotMatch(message, /[\p{Cc}\p{Cf}]/u);
  });
});

describe("a location in object storage", () => {
  it("is a bucket and a prefix", async () => {
    const { bucket, fetch, keys, endpoint, objects } = new MemoryS3();
    const { openS3SnapshotStore } = await import("@raft/snapshots/s3");
    const prefixes: [string, string][] = [
      ["", "snapshots/"],
      ["/", "snapshots/"],
      ["/a/b", "a/b/snapshots/"],
      ["/a/b/", "a/b/snapshots/"],
      ["/ü +&?#%2F'()*!", "ü +&?#%2F'()*!/snapshots/"],
      ["/a.b/..c", "a.b/..c/snapshots/"],
    ];
    for (const [text, root] of prefixes) {
      objects.clear();
      const store = await openS3SnapshotStore(`s3://${bucket}${text}`, {
        endpoint,
        fetch,
        credentials: keys,
      });
      const id = await save(store, "state");
      assert.ok(objects.has(`${root}${id}/meta.json`), [...objects.keys()][0]);
      assert.equal((await store.verify(id)).ok, true);
      await store.close();
    }
  });

  it("is refused when a path or URL would become another", async () => {
    const { openS3SnapshotStore } = await import("@raft/snapshots/s3");
    const wrong = [
      "",
      "bucket/prefix",
      "http://bucket/prefix",
      "s3://",
      "s3:///prefix",
      "s3://b",
      "s3://a..b/x",
      "s3://-bucket/x",
      "s3://buck et/x",
      "s3://user:password@bucket/x",
      "s3://user:pass/word@bucket/x",
      "http://user:password@bucket/x",
      "s3://bucket/../other",
      "s3://bucket/a/..",
      "s3://bucket/./a",
      "s3://bucket//a",
      "s3://bucket/a//b",
      "s3://bucket/a\u0000b",
      "s3://bucket/a\nb",
      "s3://bucket/\ud800",
      `s3://bucket/${"ü".repeat(500)}`,
      5,
    ];
    for (const location of wrong) {
      const opening = openS3SnapshotStore(location as string);
      await assert.rejects(opening, (error: Error) => {
        assert.ok(error instanceof TypeError, String(location));
        assert.doesNotMatch(error.message, /pass/);
        return true;
      });
    }
    await assert.rejects(
      openS3SnapshotStore(urlOfAnotherRealm("s3://b/prefix")),
      /found "s3:\/\/b\/prefix", expected/,
    );
  });
});

describe("options of a store in object storage", () => {
  it("are refused when they can't be used", async () => {
    const wrong: [
      Record<string, unknown>,
      typeof TypeError | typeof RangeError,
    ][] = [
      [{ endpoint: "minio" }, TypeError],
      [{ endpoint: "ftp://host" }, TypeError],
      [{ endpoint: "https://user:password@host" }, TypeError],
      [{ endpoint: "https://user:password@ho st" }, TypeError],
      [{ endpoint: "user:password@host" }, TypeError],
      [{ endpoint: "https://host/?x=1" }, TypeError],
      [{ region: "eu west" }, TypeError],
      [{ partSize: 1024 }, RangeError],
      [{ partSize: "8" }, TypeError],
      [{ concurrency: 0 }, RangeError],
      [{ conditionalWrites: "yes" }, TypeError],
      [{ checksum: "crc32" }, TypeError],
      [{ graceMs: -1 }, RangeError],
      [{ stallTimeoutMs: 0 }, RangeError],
      [{ fetch: "fetch" }, TypeError],
      [{ putHeaders: { "if-match": "x" } }, TypeError],
      [{ putHeaders: { "x-amz-date": "x" } }, TypeError],
      [{ putHeaders: { "x-amz-copy-source": "x" } }, TypeError],
      [{
        putHeaders: { "x-amz-server-side-encryption-customer-key": "x" },
      }, TypeError],
      [{ putHeaders: { "x-odd": "a\nb" } }, TypeError],
    ];
    for (const [options, type] of wrong) {
      const opening = memoryBucket().open(options as OpenBucketOptions);
      await assert.rejects(opening, (error: Error) => {
        assert.ok(
          error instanceof type,
          `${JSON.stringify(options)}: ${error}`,
        );
        assert.ok(!error.message.includes("password"));
        return !(error instanceof SnapshotError);
      });
    }
  });
});
