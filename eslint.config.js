import js from '@eslint/js';
import boundaries from 'eslint-plugin-boundaries';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/**
 * The rooms of the house, each with the rooms it may import from besides itself. `configs` are the engine's config.ts
 * files: pure data, the one part of the engine that the page reads as well.
 */
const GPU_SIDE = ['ops', 'linalg', 'kernels', 'gpu', 'configs'];
const ROOMS = {
  kernels: { files: 'kernels/**', may: [] },
  configs: { files: 'app/engine/**/config.ts', may: [] },
  data: { files: 'app/engine/data/**', may: ['configs'] },
  gpu: { files: 'app/engine/gpu/**', may: ['kernels'] },
  ops: { files: 'app/engine/ops/**', may: ['kernels', 'gpu'] },
  linalg: { files: 'app/engine/linalg/**', may: ['kernels', 'gpu'] },
  model: { files: 'app/engine/model/**', may: GPU_SIDE },
  optim: { files: 'app/engine/optim/**', may: GPU_SIDE },
  regularizers: { files: 'app/engine/regularizers/**', may: GPU_SIDE },
  factorization: { files: 'app/engine/factorization/**', may: GPU_SIDE },
  profile: { files: 'app/engine/profile/**', may: GPU_SIDE },
  train: {
    files: 'app/engine/train/**',
    may: ['model', 'optim', 'regularizers', 'factorization', 'profile', 'data', 'protocol', ...GPU_SIDE],
  },
  worker: { files: 'app/engine/*.ts', may: ['train', 'model', 'optim', 'regularizers', 'data', 'protocol', ...GPU_SIDE] },
  protocol: { files: 'app/protocol/**', may: ['configs'] },
  store: { files: 'app/store/**', may: ['protocol'] },
  ui: { files: 'app/ui/**', may: ['store', 'protocol', 'configs'] },
  main: { files: 'app/*.{ts,tsx}', may: ['ui', 'store', 'protocol'] },
};

/** A pattern of no-restricted-imports. */
const banned = (group, message) => ({ group, message });
const PAGE_LIBRARIES = ['react', 'react-*', 'react-dom', 'react-dom/*', 'react/*', 'zustand', 'zustand/*', 'recharts'];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'public/', 'test-results/', 'playwright-report/', '.vitest-attachments/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  // `window` in what Playwright evaluates on a page.
  { files: ['**/*.{js,mjs}'], languageOptions: { globals: { ...globals.node, window: 'readonly' } } },
  {
    files: ['**/*.{ts,tsx,mts}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // restrict-template-expressions does the useful half; this one objects to String(value) of a narrowed unknown.
      '@typescript-eslint/no-base-to-string': 'off',
      // A method may be async by contract and have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['app/**/*.{ts,tsx}', 'kernels/**/*.ts'],
    languageOptions: { globals: globals.browser },
    plugins: { boundaries },
    settings: {
      'boundaries/files': Object.entries(ROOMS).map(([category, { files }]) => ({ category, pattern: files })),
      'import/resolver': { node: { extensions: ['.ts', '.tsx'] } },
    },
    rules: {
      'no-console': ['error', { allow: ['warn', 'error'] }],
      'boundaries/dependencies': [
        'error',
        {
          default: 'allow',
          policies: Object.entries(ROOMS).map(([room, { may }]) => ({
            from: { file: { categories: room } },
            disallow: { to: { file: { categories: { noneOf: [room, ...may] } }, module: { origin: 'local' } } },
            message: `${room} may import only from ${[room, ...may].join(', ')}`,
          })),
        },
      ],
    },
  },
  {
    files: ['app/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [banned(['**/*.wgsl', '**/*.wgsl?*'], 'WGSL is imported in kernels/ only.')] }],
      'no-restricted-syntax': [
        'error',
        ...['Literal[value=/@compute|@workgroup_size/]', 'TemplateElement[value.raw=/@compute|@workgroup_size/]'].map((selector) => ({
          selector,
          message: 'WGSL lives in kernels/ only.',
        })),
      ],
    },
  },
  {
    files: ['app/engine/**/*.ts', 'app/protocol/**/*.ts', 'kernels/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [banned(PAGE_LIBRARIES, 'The engine and what it shares run in a worker, without React or the store.')],
        },
      ],
      'no-restricted-globals': ['error', 'window', 'document', 'localStorage', 'sessionStorage', 'requestAnimationFrame'],
    },
  },
  {
    files: ['app/engine/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            banned(PAGE_LIBRARIES, 'The engine and what it shares run in a worker, without React or the store.'),
            banned(['**/*.wgsl', '**/*.wgsl?*'], 'WGSL is imported in kernels/ only.'),
          ],
        },
      ],
    },
  },
  {
    files: ['app/**/*.tsx', 'app/store/**/*.ts', 'app/ui/**/*.ts'],
    plugins: { 'react-hooks': reactHooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
    },
  },
  {
    // Tests read golden files, whose parameters differ by kind, and answers of the page, which carry no types.
    files: ['tests/**/*.{ts,tsx}', '*.config.ts'],
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
