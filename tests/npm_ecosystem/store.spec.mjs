// Run by Vitest and by Jest, whose `test` is a global.
test("a snapshot is saved and loaded", async () => {
  await import("./use.mjs");
});
