#!/usr/bin/env node
// Runs the program in the package for this platform, which npm installed as an optional dependency.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const platform = `${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "aghook.exe" : "aghook";
// As when aghook itself can't do its work.
const CAN_NOT_RUN = 3;

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(CAN_NOT_RUN);
}

function locate() {
  try {
    return require.resolve(`aghook-${platform}/${file}`);
  } catch {
    const packages = Object.keys(require("./package.json").optionalDependencies);
    return fail(
      packages.includes(`aghook-${platform}`)
        ? `the package aghook-${platform} is missing; install aghook without --omit=optional`
        : `there is no package for ${platform}, only ${packages.join(", ")}; build aghook with cargo`,
    );
  }
}

const child = spawn(locate(), process.argv.slice(2), { stdio: "inherit" });
child.on("error", (error) => fail(`can't start aghook: ${error.message}`));
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));

// aghook ends by itself and writes its reports first. A terminal sends Ctrl-C to both processes.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
