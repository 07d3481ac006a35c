// The terminal bundle: xterm.js with the addons we use. Loaded when a terminal is opened.
import "./adopted-style.js";
export { Terminal } from "@xterm/xterm";
export { FitAddon } from "@xterm/addon-fit";
export { SearchAddon } from "@xterm/addon-search";
export { WebLinksAddon } from "@xterm/addon-web-links";
import "@xterm/xterm/css/xterm.css";
