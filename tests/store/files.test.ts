import { expect, test } from 'vitest';
import { csvLine, fileWords, runFileName } from '../../app/store/files';

test('cells are quoted where they must be, and no spreadsheet takes a text for a formula', () => {
  expect(csvLine(['=1+1', '+1', '-1', '@a', '\rx', 'a"b', 'x,y', 'a\nb'])).toBe(`'=1+1,'+1,'-1,'@a,"'\rx","a""b","x,y","a\nb"\r\n`);
  expect(csvLine(['a=b', -1.5, 1e-7, NaN, Infinity, null, undefined, true, ''])).toBe('a=b,-1.5,1e-7,,,,,true,\r\n');
});

test('a file of a run is named alike wherever it is saved', () => {
  expect(fileWords('  AdamQ3R, λ 0.01 – “Été”! ')).toBe('adamq3r-lambda-0.01-ete');
  expect(runFileName({ name: 'AdamQ3R, λ 5', step: 400 })).toBe('adamq3r-lambda-5-step400.q3r.json');
  expect(runFileName({ name: '日本', step: 7 })).toBe('run-step7.q3r.json');
});
