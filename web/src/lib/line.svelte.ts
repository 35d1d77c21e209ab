/** Whether the line to Python is open; a banner tells when it is not. */
export const line = $state({ open: true });
