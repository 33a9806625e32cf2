// The services that plugins provide each other: one provider a service, declared beforehand.
import type { Service } from '../plugin/index.ts'

export interface ServiceRegistry {
  provide(service: Service<unknown>, value: unknown): void
  find<T>(service: Service<T>): T | undefined
  has(service: Service<unknown>): boolean
}

export function createRegistry(): ServiceRegistry {
  const values = new Map<symbol, unknown>()
  return {
    provide(service, value) {
      if (values.has(service.id)) throw new Error(`the service "${service.name}" is provided twice`)
      values.set(service.id, value)
    },
    find: <T>(service: Service<T>) => values.get(service.id) as T | undefined,
    has: service => values.has(service.id),
  }
}
