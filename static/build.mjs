// Bundles static/ into one directory: `node build.mjs OUT`.
// OUT/files holds what the browser gets (with .br and .gz twins), OUT/files.txt lists it for the Rust side.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import subsetFont from "subset-font";

const here = import.meta.dirname;
const out = process.argv[2] ?? join(here, "dist");
const files = join(out, "files");
const modules = join(here, "node_modules");

rmSync(out, { recursive: true, force: true });
mkdirSync(join(files, "fonts"), { recursive: true });

// Our own scripts are served as they are.
cpSync(join(here, "js"), join(files, "js"), { recursive: true, filter: (path) => !path.includes("/js/bundles") });
// Text comes in every weight between regular and bold, code in two; of each font only what Latin pages
// need. Code has no ligatures, so it can do without their glyphs.
const latin = [[0x20, 0x17f], [0x2000, 0x206f], [0x20ac, 0x20ac], [0x2122, 0x2122], [0x2190, 0x2193], [0x2212, 0x2215]];
const letters = latin.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, n) => String.fromCodePoint(from + n)));
const code = { noLayoutClosure: true };
await font("inter", "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", {
  variationAxes: { wght: { min: 400, max: 700, default: 400 } },
});
await font("jetbrains-mono", "@fontsource/jetbrains-mono/files/jetbrains-mono-latin-400-normal.woff2", code);
await font("jetbrains-mono-bold", "@fontsource/jetbrains-mono/files/jetbrains-mono-latin-700-normal.woff2", code);
writeFileSync(join(files, "icons.svg"), sprite());
cpSync(join(here, "icons", "gantry.svg"), join(files, "favicon.svg"));

const shared = { bundle: true, minify: true, logLevel: "error", legalComments: "eof", absWorkingDir: here };
await build({ ...shared, entryPoints: ["css/app.css"], outfile: join(files, "app.css"), external: ["*.woff2"] });
await build({
  ...shared,
  entryPoints: ["js/bundles/terminal.js", "js/bundles/chart.js"],
  outdir: join(files, "vendor"),
  format: "esm",
  plugins: [{ name: "strict-csp", setup: strictCsp }],
});

const list = walk(files).sort();
const digest = createHash("sha256");
for (const file of list) digest.update(relative(files, file)).update(readFileSync(file));
for (const file of list) compress(file);
const lines = list.map((file) => `${relative(files, file)}, ${contentType(file)}`);
writeFileSync(join(out, "files.txt"), [digest.digest("hex").slice(0, 12), ...lines].join("\n"));

/** A font cut down to what pages need. */
async function font(name, source, options) {
  const small = await subsetFont(readFileSync(join(modules, source)), letters.join(""), { targetFormat: "woff2", ...options });
  writeFileSync(join(files, "fonts", `${name}.woff2`), small);
}

/** One SVG with a symbol for each icon that icons/list.txt names, and our own drawings. */
function sprite() {
  const names = readFileSync(join(here, "icons", "list.txt"), "utf8").split("\n").filter(Boolean);
  const symbols = names.map((name) => {
    const own = join(here, "icons", `${name}.svg`);
    const source = existsSync(own) ? own : join(modules, "lucide-static", "icons", `${name}.svg`);
    const inner = readFileSync(source, "utf8").replace(/^[\s\S]*?<svg[\s\S]*?>/, "").replace("</svg>", "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s+/g, " ").trim()}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}

/**
 * xterm.js draws with <style> elements and style attributes, both of which our policy forbids. The
 * same rules through the CSSOM are allowed, so the five places are rewritten; should a new version
 * of xterm have more or fewer of them, the build stops here.
 */
function strictCsp(builder) {
  builder.onLoad({ filter: /@xterm\/xterm\/lib\/xterm\.mjs$/ }, ({ path }) => {
    let text = readFileSync(path, "utf8");
    const replace = (pattern, replacement, expected) => {
      const found = text.match(pattern)?.length ?? 0;
      if (found !== expected) throw new Error(`xterm.js changed: ${pattern} ${found} times, not ${expected}`);
      text = text.replace(pattern, replacement);
    };
    replace(/[\w.]+\.createElement\("style"\)/g, 'document.createElement("adopted-style")', 3);
    replace(/(\w+)\.setAttribute\("style",`\$\{\w+\.getAttribute\("style"\)\|\|""\}\$\{(\w+)\};`\)/g, "$1.style.cssText+=$2", 1);
    return { contents: text, loader: "js" };
  });
}

function compress(file) {
  if (/\.woff2$/.test(file)) return;
  const bytes = readFileSync(file);
  // Browsers ask for brotli only over TLS and on loopback; gzip is for the rest.
  const twins = {
    br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
    gz: gzipSync(bytes, { level: 9 }),
  };
  for (const [ending, small] of Object.entries(twins)) {
    if (small.length < bytes.length) writeFileSync(`${file}.${ending}`, small);
  }
}

function walk(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}

function contentType(file) {
  const types = {
    css: "text/css; charset=utf-8",
    js: "text/javascript; charset=utf-8",
    svg: "image/svg+xml",
    woff2: "font/woff2",
  };
  const type = types[file.split(".").pop()];
  if (!type) throw new Error(`no content type for ${file} in ${dirname(file)}`);
  return type;
}
