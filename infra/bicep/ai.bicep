// One AI resource: Voice Live and Speech come with the account, Realtime models are deployed.
param name string
param location string
param tags object
param models array

resource account 'Microsoft.CognitiveServices/accounts@2025-09-01' = {
  name: name
  location: location
  tags: tags
  kind: 'AIServices'
  sku: { name: 'S0' } // Voice Live is not offered below it
  identity: { type: 'SystemAssigned' } // required for projects
  properties: {
    customSubDomainName: name // required for sign-in by identity
    allowProjectManagement: true
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource project 'Microsoft.CognitiveServices/accounts/projects@2025-09-01' = {
  parent: account
  name: 'switchboard' // where agents of bridge voice_live with `project` live
  location: location
  identity: { type: 'SystemAssigned' }
  properties: {}
}

@batchSize(1) // an account takes one deployment at a time
resource deployments 'Microsoft.CognitiveServices/accounts/deployments@2025-09-01' = [for model in models: {
  parent: account
  name: model.name
  sku: { name: model.sku, capacity: model.capacity }
  properties: {
    model: { format: 'OpenAI', name: model.name, version: model.version }
    versionUpgradeOption: 'OnceCurrentVersionExpired' // a retired version must not silence a number
  }
  dependsOn: [project]
}]
