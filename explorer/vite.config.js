// Builds the query page into the hub's package. Nothing in it is loaded from another address; tests/browser proves it.

import { defineConfig } from 'vite'

export default defineConfig({
  base: '/explorer/',
  build: {
    outDir: '../hub/serve/static',
    emptyOutDir: true,
    // Fonts and pictures are files, so that the page needs no data: addresses.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 8000,
    reportCompressedSize: false,
  },
})
