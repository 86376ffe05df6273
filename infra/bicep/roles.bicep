// Who may do what, on what, and why: the only role assignments there are.
param functionsIdentity string
param workerIdentity string
param topicIdentity string
param acsIdentity string
param deployer string
param deployerType string
param storageName string
param registryName string
param insightsName string
param acsGroup object
param acsName string
param aiGroup object
param aiNames array

// The built-in roles by their names in the portal.
var role = {
  AcrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  AzureAIUser: '53ca6127-db72-4b80-b1b0-d745d6d5456d'
  CognitiveServicesUser: 'a97b65f3-24c7-4388-baec-2e87135dc908'
  CommunicationAndEmailServiceOwner: '09976791-48a7-449e-bb21-39d1a415f350'
  MonitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  StorageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  StorageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  StorageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  StorageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  StorageQueueDataMessageProcessor: '8a0f0c08-91a1-4084-bc3d-661d67233fed'
  StorageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
}

var grants = [
  // The Functions app
  { who: functionsIdentity, on: 'account', role: role.StorageBlobDataOwner, why: 'The Functions host keeps leases and keys in containers that it makes itself; covers records, directory and deployment.' }
  { who: functionsIdentity, on: 'queue', role: role.StorageQueueDataMessageSender, why: 'Queues a session before the call is answered.' }
  { who: functionsIdentity, on: 'queue', role: role.StorageQueueDataMessageProcessor, why: 'Takes a session back when the answer is refused.' }
  { who: functionsIdentity, on: 'acs', role: role.CommunicationAndEmailServiceOwner, why: 'Answers, rejects and repairs calls; the only built-in role of the service.' }
  { who: functionsIdentity, on: 'insights', role: role.MonitoringMetricsPublisher, why: 'Sends telemetry.' }
  // The media worker
  { who: workerIdentity, on: 'queue', role: role.StorageQueueDataContributor, why: 'Renews session messages, which sender and processor may not; and lets the scale rule read their number.' }
  { who: workerIdentity, on: 'records', role: role.StorageBlobDataContributor, why: 'Writes the records of its calls.' }
  { who: workerIdentity, on: 'directory', role: role.StorageBlobDataReader, why: 'Reads the directory of agents.' }
  { who: workerIdentity, on: 'acs', role: role.CommunicationAndEmailServiceOwner, why: 'Hangs up, transfers, plays and restarts streaming.' }
  { who: workerIdentity, on: 'ai', role: role.CognitiveServicesUser, why: 'Opens Voice Live, Realtime and Speech sessions.' }
  { who: workerIdentity, on: 'ai', role: role.AzureAIUser, why: 'Talks to Foundry agents.' }
  { who: workerIdentity, on: 'registry', role: role.AcrPull, why: 'Pulls its image.' }
  { who: workerIdentity, on: 'insights', role: role.MonitoringMetricsPublisher, why: 'Sends telemetry.' }
  // Azure's own
  { who: acsIdentity, on: 'first-ai', role: role.CognitiveServicesUser, why: 'Speaks the apology when no worker can.' }
  { who: topicIdentity, on: 'dead-letters', role: role.StorageBlobDataContributor, why: 'Keeps the events of calls that nobody took.' }
  // Whoever deploys
  { who: deployer, on: 'directory', role: role.StorageBlobDataContributor, why: 'Publishes agents.toml.' }
]

// --- each row to its scope ------------------------------------------------------------------------

var held = filter(grants, grant => !empty(grant.who)) // a brought ACS resource may have no identity
var onAccount = filter(held, grant => grant.on == 'account')
var onQueue = filter(held, grant => grant.on == 'queue')
var onContainers = filter(held, grant => contains(['records', 'directory', 'dead-letters'], grant.on))
var onRegistry = filter(held, grant => grant.on == 'registry')
var onInsights = filter(held, grant => grant.on == 'insights')
var onAcs = filter(held, grant => grant.on == 'acs')
var onAi = filter(held, grant => grant.on == 'ai')
var onFirstAi = filter(held, grant => contains(['ai', 'first-ai'], grant.on)) // the one that speaks

resource account 'Microsoft.Storage/storageAccounts@2026-09-01' existing = {
  name: storageName
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2026-09-01' existing = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-09-01' existing = {
  parent: queueService
  name: 'sessions'
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2026-09-01' existing = {
  parent: account
  name: 'default'
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-09-01' existing = [for grant in onContainers: {
  parent: blobService
  name: grant.on
}]

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource accountGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in onAccount: {
  scope: account
  name: guid(storageName, grant.on, grant.who, grant.role)
  properties: {
    principalId: grant.who
    principalType: grant.who == deployer ? deployerType : 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    description: grant.why
  }
}]

resource queueGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in onQueue: {
  scope: queue
  name: guid(storageName, grant.on, grant.who, grant.role)
  properties: {
    principalId: grant.who
    principalType: grant.who == deployer ? deployerType : 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    description: grant.why
  }
}]

resource containersGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (grant, i) in onContainers: {
  scope: containers[i]
  name: guid(storageName, grant.on, grant.who, grant.role)
  properties: {
    principalId: grant.who
    principalType: grant.who == deployer ? deployerType : 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    description: grant.why
  }
}]

resource registryGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in onRegistry: {
  scope: registry
  name: guid(storageName, grant.on, grant.who, grant.role)
  properties: {
    principalId: grant.who
    principalType: grant.who == deployer ? deployerType : 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    description: grant.why
  }
}]

resource insightsGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in onInsights: {
  scope: insights
  name: guid(storageName, grant.on, grant.who, grant.role)
  properties: {
    principalId: grant.who
    principalType: grant.who == deployer ? deployerType : 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    description: grant.why
  }
}]

// Brought resources live in groups of their own.
module acsGrants 'roles-acs.bicep' = {
  scope: resourceGroup(acsGroup.subscription, acsGroup.name)
  params: { name: acsName, grants: onAcs }
}

module aiGrants 'roles-ai.bicep' = [for (name, i) in aiNames: {
  scope: resourceGroup(aiGroup.subscription, aiGroup.name)
  params: { name: name, grants: i == 0 ? onFirstAi : onAi }
}]
