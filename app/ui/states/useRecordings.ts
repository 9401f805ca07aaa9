import { useEffect, useState } from 'react';
import { listRecordings, type Recording } from '../../store/recordings';

const NONE: readonly Recording[] = [];

/** The recorded runs that came with the page; empty until their list is here, and where there is none. */
export function useRecordings(): readonly Recording[] {
  const [list, setList] = useState(NONE);
  useEffect(() => {
    let gone = false;
    void listRecordings().then((found) => !gone && setList(found));
    return () => {
      gone = true;
    };
  }, []);
  return list;
}
