import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const target = "es2023";

/** The page; with `--mode widget` the rooms in one file, for notebooks. */
export default defineConfig(({ mode }) =>
  mode === "widget"
    ? {
        plugins: [svelte({ compilerOptions: { css: "injected" } })],
        publicDir: false,
        build: {
          outDir: "../src/pellucid/studio/page/widget",
          emptyOutDir: true,
          target,
          chunkSizeWarningLimit: 2000,
          // Not Vite's library mode: that leaves the spaces in.
          rolldownOptions: {
            input: "src/widget.ts",
            preserveEntrySignatures: "strict",
            output: { entryFileNames: "widget.js", codeSplitting: false },
          },
        },
      }
    : {
        plugins: [svelte()],
        build: {
          outDir: "../src/pellucid/studio/page",
          emptyOutDir: true,
          target,
          license: { fileName: "licences.md" },
        },
      },
);
