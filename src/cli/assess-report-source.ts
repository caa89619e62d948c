import { isUnknown, type Assessment } from '../assess/assessment.ts'
import type { Role } from '../assess/roles.ts'
import { barChart, type Bar } from './bar-chart.ts'
import { html, nameOf, type Markup } from './markup.ts'
import { formatBytes, formatHours, formatNumber } from './output.ts'
import { barsMax, names, table, unknownNote, unknownOr } from './report-parts.ts'

/** The sections of the report that tell of the source as it is. */

/** What engines and managed services advise not to pass. */
const shardBytesAdvised = 50e9

export function sizesSection({
  sizes: { largestIndices, largestShards, ...sums },
}: Assessment): Markup {
  const bars = largestIndices
    .slice(0, barsMax)
    .flatMap(({ index, primaryBytes }): Bar[] =>
      isUnknown(primaryBytes)
        ? []
        : [{ label: index, value: primaryBytes, text: formatBytes(primaryBytes) }],
    )
  const shards = largestShards.slice(0, barsMax).map(({ index, shard, bytes }): Bar => {
    return {
      label: `${index} / ${shard}`,
      value: bytes,
      text: formatBytes(bytes),
      tone: bytes > shardBytesAdvised ? 'warn' : 'plain',
    }
  })
  const hasLarge = largestShards.some(({ bytes }) => bytes > shardBytesAdvised)
  return html`<section>
    <h2>Sizes</h2>
    <p>
      ${formatNumber(sums.indices)} indices (${formatNumber(sums.closedIndices)} closed),
      ${unknownOr(sums.primaryBytes, formatBytes)} in primary shards,
      ${unknownOr(sums.totalBytes, formatBytes)} with replicas.
    </p>
    ${
      sums.unsized.length > 0 &&
      html`<p>
          ${formatNumber(sums.unsized.length)} indices are of unknown size, and in no sum and no
          estimate:
        </p>
        ${table(
          ['index', 'why'],
          sums.unsized.map(({ index, reason }) => [nameOf(index), nameOf(reason)]),
        )}`
    }
    ${bars.length > 0 && barChart('Largest indices, primary shards', bars)}
    ${shards.length > 0 && barChart('Largest shards', shards, hasLarge ? { value: shardBytesAdvised, text: '50 GB' } : undefined)}
    <details>
      <summary>The ${formatNumber(largestIndices.length)} largest indices</summary>
      ${table(
        ['index', 'shards', 'replicas', 'documents', 'bytes'],
        largestIndices.map((one) => [
          nameOf(one.index),
          formatNumber(one.primaryShards),
          formatNumber(one.replicas),
          unknownOr(one.documents, formatNumber),
          unknownOr(one.primaryBytes, formatBytes),
        ]),
      )}
    </details>
  </section>`
}

export function inUseSection({ features, fieldTypes, plugins }: Assessment): Markup {
  const types = fieldTypes.slice(0, barsMax).map(({ type, fields, indices }): Bar => {
    return {
      label: type,
      value: fields,
      text: `${formatNumber(fields)} in ${formatNumber(indices)}`,
    }
  })
  return html`<section>
    <h2>In use</h2>
    ${table(
      ['feature', 'number', 'of'],
      features.map(({ feature, count, objects }) => [feature, formatNumber(count), names(objects)]),
    )}
    ${types.length > 0 && barChart('Fields by type, and in how many indices', types)}
    <h3>Plugins</h3>
    ${
      isUnknown(plugins)
        ? unknownNote(plugins)
        : plugins.length === 0
          ? html`<p>None.</p>`
          : table(
              ['plugin', 'version', 'nodes', 'on OpenSearch', 'note'],
              plugins.map((one) => [
                nameOf(one.name),
                one.version,
                formatNumber(one.nodes),
                one.onTarget,
                one.note,
              ]),
            )
    }
  </section>`
}

export function writesSection({ writes: found }: Assessment): Markup {
  if (isUnknown(found))
    return html`<section>
      <h2>Writes</h2>
      ${unknownNote(found)}
    </section>`
  const bars = found.indices.slice(0, barsMax).map(({ index, writesPerSecond }): Bar => {
    return { label: index, value: writesPerSecond, text: `${formatNumber(writesPerSecond)}/s` }
  })
  return html`<section>
    <h2>Writes</h2>
    <p>
      ${formatNumber(found.writesPerSecond)} writes a second, seen for
      ${formatNumber(found.seconds)} s;
      ${unknownOr(found.bytesPerSecond, (bytes) => `${formatBytes(bytes)}/s`)} (bytes of a write by
      ${found.bytesPerWriteBasis}).
    </p>
    ${bars.length > 0 && barChart('Writes by index', bars)}
  </section>`
}

export function clusterSection({ nodes }: Assessment): Markup {
  if (isUnknown(nodes))
    return html`<section>
      <h2>Nodes</h2>
      ${unknownNote(nodes)}
    </section>`
  const disks = nodes.slice(0, barsMax).flatMap(({ name, diskBytes, diskFreeBytes }): Bar[] => {
    if (isUnknown(diskBytes) || isUnknown(diskFreeBytes) || diskBytes === 0) return []
    const used = 1 - diskFreeBytes / diskBytes
    const text = `${(used * 100).toFixed(0)} % of ${formatBytes(diskBytes)}`
    return [{ label: name, value: used * 100, text, tone: used > 0.85 ? 'warn' : 'plain' }]
  })
  return html`<section>
    <h2>Nodes</h2>
    ${disks.length > 0 && barChart('Disk in use', disks, { value: 100, text: '100 %' })}
    ${table(
      ['name', 'version', 'roles', 'disk', 'free'],
      nodes.map((node) => [
        nameOf(node.name),
        node.version,
        node.roles.join(', '),
        unknownOr(node.diskBytes, formatBytes),
        unknownOr(node.diskFreeBytes, formatBytes),
      ]),
    )}
  </section>`
}

export function clientsSection({
  clients: { http, httpConnections, sniffing, transport },
}: Assessment): Markup {
  return html`<section>
    <h2>Clients</h2>
    <p>Open HTTP connections: ${unknownOr(httpConnections, formatNumber)}.</p>
    ${
      isUnknown(http)
        ? unknownNote(http)
        : table(
            ['client', 'connections', 'requests', 'sniffs', 'from'],
            http.map((one) => [
              nameOf(one.agent),
              formatNumber(one.connections),
              formatNumber(one.requests),
              one.sniffs ? 'yes' : 'not seen',
              names(one.addresses),
            ]),
          )
    }
    <h3>Clients that sniff the addresses of nodes</h3>
    ${isUnknown(sniffing) ? unknownNote(sniffing) : html`<p>${formatNumber(sniffing.requestsForNodes)} requests for the list of nodes in ${formatHours(sniffing.hours)}. ${sniffing.note}</p>`}
    <h3>Clients at the transport port</h3>
    ${isUnknown(transport) ? unknownNote(transport) : html`<p>${formatNumber(transport.connections)} connections; the nodes hold at most ${formatNumber(transport.expectedMax)} among themselves, so at least ${formatNumber(transport.others)} come from elsewhere (transport clients, other clusters).${transport.others > 0 && ' OpenSearch does not talk to transport clients of Elasticsearch: these have to be moved to HTTP first.'}</p>`}
  </section>`
}

/** As `osmigrate clusters roles` prints them. */
export function leastRolesSection({ roles }: Assessment): Markup {
  const details = (side: string, { system, request, body, notes }: Role): Markup =>
    html`<details>
      <summary>${side}: ${system}</summary>
      <ul class="note">
        ${notes.map((note) => html`<li>${note}</li>`)}
      </ul>
      <pre>${`${request}\n${JSON.stringify(body, null, 2)}`}</pre>
    </details>`
  return html`<section>
    <h2>Least roles</h2>
    ${roles.source.map((role) => details('source', role))}
    ${roles.target.map((role) => details('target', role))}
  </section>`
}
