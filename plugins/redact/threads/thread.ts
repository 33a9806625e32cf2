// A scanning thread: started when it is first needed, it answers one question after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { compileProfiles } from '../profile.ts'
import { doWork } from './do-work.ts'
import type { ThreadSettings, Work } from './work.ts'

const { config, key } = workerData as ThreadSettings
const profiles = compileProfiles(config)

parentPort?.on('message', (work: Work) => parentPort!.postMessage(doWork(work, profiles.all[work.profile]!, key)))
