import { metricPlaces, metricRows, placeOf, placesOf, type MetricRow } from './metrics.ts'

/**
 * The figures of all workers of a proxy. What an ended worker has counted stays in the sum; what it held (connections,
 * memory) goes with it.
 */
export class MetricsSum {
  readonly #workers = new Map<number, Float64Array>()
  readonly #ended = new Float64Array(metricPlaces)

  /** Takes the present figures of a worker in the place of its former ones; the array is kept. */
  update(worker: number, values: Float64Array): void {
    if (values.length !== metricPlaces) return // of another version of the program, while one takes over
    this.#workers.set(worker, values)
  }

  end(worker: number): void {
    const values = this.#workers.get(worker)
    if (values === undefined) return
    this.#workers.delete(worker)
    for (const row of metricRows as readonly MetricRow[]) {
      if (row.type === 'gauge') continue
      const first = placeOf(row.name as (typeof metricRows)[number]['name'])
      const end = first + placesOf(row) * (row.label?.values.length ?? 1)
      for (let place = first; place < end; place++) {
        this.#ended[place] = this.#ended[place]! + values[place]!
      }
    }
  }

  /** A new array: the sum of all. */
  total(): Float64Array {
    const sum = Float64Array.from(this.#ended)
    for (const values of this.#workers.values()) {
      for (let place = 0; place < sum.length; place++) sum[place] = sum[place]! + values[place]!
    }
    return sum
  }
}
