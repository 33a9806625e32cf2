// T42: prompt injection in results cannot be detected, and nothing here promises that. What can be promised is measured: what nobody sees goes, what anybody reads stays.
import { readFileSync } from 'node:fs'
import { harness } from 'mcpgw/testing'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import redact from '../../plugins/redact/index.ts'

type Category = string
const corpus = JSON.parse(readFileSync(new URL('injections/corpus.json', import.meta.url), 'utf8')) as Record<Category, string[]>

/** The patterns that the plugin's README recommends, as they stand there. */
function recommended(): object {
  const page = readFileSync(new URL('../../plugins/redact/README.md', import.meta.url), 'utf8')
  const section = page.split(/^## /m).find(part => part.startsWith('What nobody sees\n'))!
  const yaml = /```yaml\n(.+?)```/s.exec(section)![1]!
  const { plugins } = parse(yaml) as { plugins: { redact: object }[] }
  return plugins[0]!.redact
}

test('of a corpus of prompt injections, what is hidden is taken out and what is written in plain words is not: the rates, category by category', async () => {
  const { call, upstream, stop } = await harness({ plugins: [{ plugin: redact, config: recommended() }] })
  onTestFinished(async () => void (await stop()))
  const changed = new Map<Category, string[]>()
  for (const [category, texts] of Object.entries(corpus)) {
    changed.set(category, [])
    for (const text of texts) {
      upstream.on('docs', () => ({ content: [{ type: 'text', text }] }))
      const { value } = await call('docs', 'read')
      const shown = (value as { content: { text: string }[] }).content[0]!.text
      if (shown !== text) changed.get(category)!.push(text)
      // Whatever came, it is still one text in a result, and nothing of the gateway's own.
      expect(Object.keys(value as object)).toEqual(['content'])
    }
  }
  const rates = [...changed].map(([category, texts]) => [category, `${texts.length}/${corpus[category]!.length}`])
  console.info(rates.map(row => row.join(' ')).join(', '))
  expect(Object.fromEntries(rates)).toEqual({
    plain: '0/8',
    'tag-characters': '3/3',
    'zero-width': '3/3',
    direction: '3/3',
    'variation-selectors': '2/2',
    'markup-comment': '2/2',
    'image-exfiltration': '2/2',
    innocent: '0/7',
  })
})
