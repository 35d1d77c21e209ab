/** What this browser remembers from visit to visit; nothing where it may not, as in some notebooks' frames. */

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function remember(name: string, text: string): void {
  try {
    localStorage.setItem(name, text);
  } catch {
    // Then it is forgotten when the page is closed.
  }
}
