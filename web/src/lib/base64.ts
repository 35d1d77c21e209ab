/** Bytes as text: base64 as Python writes it, and as an address can hold it. */

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** A text of bytes, one a letter, without the signs that mean something in an address. */
export function forAddress(text: string): string {
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Throws where it is no such text. */
export function fromAddress(written: string): string {
  return atob(written.replace(/-/g, "+").replace(/_/g, "/"));
}
