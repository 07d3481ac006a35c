// @ts-check
/** Copies the code beside it: `<copy-button label="Copy" done="Copied">`. */
class CopyButton extends HTMLElement {
  connectedCallback() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--quiet button--small";
    button.textContent = this.getAttribute("label");
    button.addEventListener("click", async () => {
      const code = this.parentElement?.querySelector("code")?.textContent ?? "";
      await navigator.clipboard.writeText(code);
      button.textContent = this.getAttribute("done");
      setTimeout(() => (button.textContent = this.getAttribute("label")), 1500);
    });
    this.replaceChildren(button);
  }

  disconnectedCallback() {
    this.replaceChildren();
  }
}

customElements.define("copy-button", CopyButton);
