// @ts-check
// Stands where xterm.js would put a <style>: the same rules as a constructable sheet, which a strict
// style policy allows. The build rewrites xterm.js to create these (see build.mjs, strictCsp).
class AdoptedStyle extends HTMLElement {
  sheet = new CSSStyleSheet();

  connectedCallback() {
    this.hidden = true;
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.sheet];
  }

  disconnectedCallback() {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.sheet);
  }

  set textContent(text) {
    this.sheet.replaceSync(text ?? "");
  }
}

customElements.define("adopted-style", AdoptedStyle);
