import type { Plugin } from 'vite';

export function streamServer(): Plugin;
