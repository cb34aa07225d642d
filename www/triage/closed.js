// @ts-check
// Takes WebRTC away before anything is read: `connect-src` does not govern it, and few engines know `webrtc 'block'`. Imported
// first, by the page and by its worker.

for (const name of Object.getOwnPropertyNames(globalThis)) {
  if (/^(moz|webkit)?RTC/.test(name)) {
    Object.defineProperty(globalThis, name, { value: undefined, writable: false, configurable: false });
  }
}
