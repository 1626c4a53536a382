import { DIRECTORY } from "./places.ts";
import { testArchiveStore } from "./suite.ts";

testArchiveStore(DIRECTORY);
