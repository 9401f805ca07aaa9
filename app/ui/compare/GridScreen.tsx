export default function GridScreen() {
  return <main className="stage" />;
}
