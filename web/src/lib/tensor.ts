/** Arrays of numbers, as the engine made them (float32), and how they travel. */
import type { Tensor } from "../messages";
import { bytesOf } from "./base64";

/** Numbers in row-major order. */
export interface Numbers {
  shape: number[];
  values: Float32Array;
}

export function numbers(tensor: Tensor): Numbers {
  return { shape: tensor.shape, values: new Float32Array(bytesOf(tensor.data).buffer) };
}

export function tensor({ shape, values }: Numbers): Tensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return { shape, data: btoa(text) };
}

export function zeros(...shape: number[]): Numbers {
  return { shape, values: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
}

export function fromRows(rows: readonly (readonly number[])[]): Numbers {
  return { shape: [rows.length, rows[0]?.length ?? 0], values: Float32Array.from(rows.flat()) };
}

export function toRows({ shape, values }: Numbers): number[][] {
  const [rows = 0, columns = 0] = shape;
  return Array.from({ length: rows }, (_, row) => [...values.subarray(row * columns, (row + 1) * columns)]);
}

/** The i-th part along the first axis, sharing memory: a channel of (C, H, W), a map of many. */
export function part({ shape, values }: Numbers, index: number): Numbers {
  const inner = shape.slice(1);
  const size = inner.reduce((product, length) => product * length, 1);
  return { shape: inner, values: values.subarray(index * size, (index + 1) * size) };
}

/** Rows with other extents: rows and columns are added, as zeros, and taken away at the end. */
export function resized(rows: readonly number[][], height: number, width: number): number[][] {
  return Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => rows[row]?.[column] ?? 0));
}
