import type { Command } from 'commander'
import { defineCompareDocuments } from './compare-documents-command.ts'
import { defineCompareMetadata } from './compare-metadata-command.ts'
import { defineComparePerformance } from './compare-performance-command.ts'
import { defineCompareSearches } from './compare-searches-command.ts'
import { defineCompareReport } from './compare-report-command.ts'
import { defineCompareShow } from './compare-show-command.ts'
import { defineCompareVerdict } from './compare-verdict-command.ts'

export function defineCompare(command: Command): void {
  command.description('Compares what the source holds with what the target holds.')
  defineCompareDocuments(command)
  defineCompareMetadata(command)
  defineCompareSearches(command)
  defineComparePerformance(command)
  defineCompareShow(command)
  defineCompareVerdict(command)
  defineCompareReport(command)
}
