// Writes the package.json of the package with the command, and of the one with this platform's program.
//
//     node manifests.js VERSION FOLDER FOLDER-PLATFORM
"use strict";

const { writeFileSync } = require("node:fs");
const { basename, join } = require("node:path");

const [version, main, own] = process.argv.slice(2);
const manifest = require("./package.json");
const write = (folder, content) =>
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(content, null, 2)}\n`);

const platforms = Object.keys(manifest.optionalDependencies).map((name) => [name, version]);
write(main, { ...manifest, version, optionalDependencies: Object.fromEntries(platforms) });

const name = basename(own);
const [os, cpu] = name.replace("aghook-", "").split("-");
const { description, license } = manifest;
write(own, { name, version, description: `${description}: the program`, license, os: [os], cpu: [cpu] });
