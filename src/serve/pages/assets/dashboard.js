// What the pages do beyond HTML: lists that follow the queue, and buttons that copy text.

import { offerCopies } from "./copy.js";
import { followAll } from "./live.js";

followAll();
offerCopies();
