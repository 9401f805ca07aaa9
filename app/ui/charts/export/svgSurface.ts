import type { Context, PathMaker } from '../canvas';

/** Path commands as text, in the shape of a Path2D. */
class SvgPath {
  text = '';
  moveTo(x: number, y: number): void {
    this.text += `M${short(x)} ${short(y)}`;
  }
  lineTo(x: number, y: number): void {
    this.text += `L${short(x)} ${short(y)}`;
  }
  closePath(): void {
    this.text += 'Z';
  }
  rect(x: number, y: number, w: number, h: number): void {
    this.text += `M${short(x)} ${short(y)}h${short(w)}v${short(h)}h${short(-w)}Z`;
  }
  arc(x: number, y: number, r: number): void {
    this.text += `M${short(x - r)} ${short(y)}a${short(r)} ${short(r)} 0 1 0 ${short(2 * r)} 0a${short(r)} ${short(r)} 0 1 0 ${short(-2 * r)} 0Z`;
  }
}

const short = (v: number): string => String(Math.round(v * 100) / 100);
const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

interface Style {
  fillStyle: string;
  strokeStyle: string;
  lineWidth: number;
  globalAlpha: number;
  dash: string;
  /** Groups opened since the style was saved. */
  groups: number;
}

/**
 * Writes an SVG image through the calls of a 2D context that the page's pictures are painted with, so that a saved picture is the one on
 * the page. Colours, fonts and sizes are written out: the file needs nothing else. Full circles are the only arcs.
 */
export class SvgSurface implements PathMaker {
  fillStyle = '#000000';
  strokeStyle = '#000000';
  lineWidth = 1;
  lineJoin = 'miter';
  globalAlpha = 1;
  font = '11px sans-serif';
  textAlign: CanvasTextAlign = 'left';
  textBaseline: CanvasTextBaseline = 'alphabetic';
  imageSmoothingEnabled = true;
  private dash = '';
  private groups = 0;
  private clips = 0;
  private current = new SvgPath();
  private readonly out: string[] = [];
  private readonly saved: Style[] = [];

  constructor(
    readonly width: number,
    readonly height: number,
    private readonly title: string,
  ) {}

  /** As the painting functions take it. They use no more of a context than there is here. */
  get context(): Context {
    return this as unknown as Context;
  }

  /** The whole image. */
  text(): string {
    const size = `width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size} stroke-linejoin="round"><title>${escape(this.title)}</title>\n${this.out.join('\n')}\n</svg>\n`;
  }

  newPath(): Path2D {
    return new SvgPath() as unknown as Path2D;
  }

  beginPath(): void {
    this.current = new SvgPath();
  }
  moveTo(x: number, y: number): void {
    this.current.moveTo(x, y);
  }
  lineTo(x: number, y: number): void {
    this.current.lineTo(x, y);
  }
  closePath(): void {
    this.current.closePath();
  }
  rect(x: number, y: number, w: number, h: number): void {
    this.current.rect(x, y, w, h);
  }
  arc(x: number, y: number, r: number): void {
    this.current.arc(x, y, r);
  }
  setLineDash(dash: readonly number[]): void {
    this.dash = dash.join(' ');
  }

  stroke(path?: Path2D): void {
    const { text } = (path as unknown as SvgPath | undefined) ?? this.current;
    if (text) this.out.push(`<path d="${text}" fill="none" ${this.strokeAttributes()}/>`);
  }
  fill(path?: Path2D): void {
    const { text } = (path as unknown as SvgPath | undefined) ?? this.current;
    if (text) this.out.push(`<path d="${text}" ${this.paint('fill', this.fillStyle)}/>`);
  }
  fillRect(x: number, y: number, w: number, h: number): void {
    this.out.push(`<rect x="${short(x)}" y="${short(y)}" width="${short(w)}" height="${short(h)}" ${this.paint('fill', this.fillStyle)}/>`);
  }

  fillText(text: string, x: number, y: number): void {
    this.out.push(`<text ${this.textAttributes(x, y)} ${this.paint('fill', this.fillStyle)}>${escape(text)}</text>`);
  }
  strokeText(text: string, x: number, y: number): void {
    this.out.push(`<text ${this.textAttributes(x, y)} fill="none" ${this.strokeAttributes()}>${escape(text)}</text>`);
  }
  measureText(text: string): TextMetrics {
    const ruler = new OffscreenCanvas(1, 1).getContext('2d')!;
    ruler.font = this.font;
    return ruler.measureText(text);
  }

  /** The pixels are written into the file. */
  drawImage(image: CanvasImageSource & { width: number; height: number }, x: number, y: number, w: number, h: number): void {
    const canvas = document.createElement('canvas');
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext('2d')?.drawImage(image, 0, 0);
    const box = `x="${short(x)}" y="${short(y)}" width="${short(w)}" height="${short(h)}"`;
    const pixels = this.imageSmoothingEnabled ? '' : ' style="image-rendering:pixelated"';
    this.out.push(`<image ${box} preserveAspectRatio="none"${pixels} href="${canvas.toDataURL('image/png')}"/>`);
  }

  /** Until `restore`; `save` comes before. */
  translate(x: number, y: number): void {
    this.out.push(`<g transform="translate(${short(x)} ${short(y)})">`);
    this.groups++;
  }
  save(): void {
    const { fillStyle, strokeStyle, lineWidth, globalAlpha, dash, groups } = this;
    this.saved.push({ fillStyle, strokeStyle, lineWidth, globalAlpha, dash, groups });
    this.groups = 0;
  }
  restore(): void {
    for (; this.groups > 0; this.groups--) this.out.push('</g>');
    Object.assign(this, this.saved.pop());
  }
  clip(): void {
    const id = `clip${++this.clips}`;
    this.out.push(`<clipPath id="${id}"><path d="${this.current.text}"/></clipPath><g clip-path="url(#${id})">`);
    this.groups++;
  }

  private strokeAttributes(): string {
    const dash = this.dash ? ` stroke-dasharray="${this.dash}"` : '';
    return `${this.paint('stroke', this.strokeStyle)} stroke-width="${short(this.lineWidth)}"${dash}`;
  }

  private textAttributes(x: number, y: number): string {
    const [, weight = '400', size = '11', family = 'sans-serif'] = /^(?:(\d+) )?([\d.]+)px (.*)$/.exec(this.font) ?? [];
    const anchor = { left: 'start', start: 'start', center: 'middle', right: 'end', end: 'end' }[this.textAlign];
    // Half of a capital's height is where a line of text has its middle.
    const at = this.textBaseline === 'middle' ? y + 0.35 * Number(size) : y;
    const style = `font-family="${escape(family)}" font-size="${size}" font-weight="${weight}"`;
    return `x="${short(x)}" y="${short(at)}" text-anchor="${anchor}" ${style} style="font-variant-numeric:tabular-nums"`;
  }

  /** Opacity apart from the colour: few programs but browsers know colours with four parts. */
  private paint(what: 'fill' | 'stroke', colour: string): string {
    const [, solid = colour, alpha = ''] = /^(#[0-9a-f]{6})([0-9a-f]{2})$/i.exec(colour) ?? [];
    const opacity = this.globalAlpha * (alpha ? Number.parseInt(alpha, 16) / 255 : 1);
    return `${what}="${escape(solid)}"${opacity < 1 ? ` ${what}-opacity="${short(opacity)}"` : ''}`;
  }
}
