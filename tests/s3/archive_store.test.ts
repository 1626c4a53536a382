import { BUCKET } from "../archive_store/places.ts";
import { testArchiveStore } from "../archive_store/suite.ts";

testArchiveStore(BUCKET);
