// @ts-check
/** Shows the time inside it in the reader's own zone; the exact moment stays in `datetime`. */
class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time");
    const at = time && new Date(time.dateTime);
    if (!time || !at || Number.isNaN(at.valueOf())) return;
    const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
    time.title = time.dateTime;
    time.textContent = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  }
}

customElements.define("local-time", LocalTime);
