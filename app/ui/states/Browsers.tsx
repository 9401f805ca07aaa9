const ROWS = [
  { name: 'Chrome, Edge', windows: '113', mac: '113', linux: '144', phone: 'Android 121', test: /Chrome|Edg/ },
  { name: 'Firefox', windows: '141', mac: '145, M chips', linux: '–', phone: '–', test: /Firefox/ },
  { name: 'Safari', windows: '–', mac: '26', linux: '–', phone: 'iOS 26', test: /Version\/.*Safari/ },
] as const;

/** First versions with WebGPU switched on, as of the gpuweb implementation status. The visitor's own browser stands out. */
export function Browsers() {
  const mine = ROWS.findIndex((row) => row.test.test(navigator.userAgent));
  return (
    <table className="browsers">
      <thead>
        <tr>
          <th scope="col">Works in</th>
          <th scope="col">Windows</th>
          <th scope="col">macOS</th>
          <th scope="col">Linux</th>
          <th scope="col">Phone</th>
        </tr>
      </thead>
      <tbody>
        {ROWS.map((row, i) => (
          <tr key={row.name} className={i === mine ? 'you' : undefined} aria-current={i === mine || undefined}>
            <td>{row.name}</td>
            <td>{row.windows}</td>
            <td>{row.mac}</td>
            <td>{row.linux}</td>
            <td>{row.phone}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
