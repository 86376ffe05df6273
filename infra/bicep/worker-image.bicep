// The image that the worker runs now. A module of its own: a template cannot read a resource that it writes.
param name string

resource worker 'Microsoft.App/containerApps@2026-07-01' existing = {
  name: name
}

output image string = worker.properties.template.containers[0].image
