// Everything Switchboard needs in one resource group. docs/deployment.md explains each parameter.
targetScope = 'subscription'

// --- where and for whom ---------------------------------------------------------------------------

@description('Name of the azd environment; part of every resource name.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything but the AI resources. Must offer Container Apps, and Flex Consumption with Python 3.13.')
param location string

@description('Object id of whoever deploys: may publish the directory of agents.')
param deployerId string

@description('What the deployer is: a person, or the service principal of a pipeline.')
@allowed(['User', 'ServicePrincipal'])
param deployerType string = 'User'

// --- telephony ------------------------------------------------------------------------------------

@description('Resource id of an existing Azure Communication Services resource; empty: make one. Needed by tenants that can no longer make one, and for Teams Phone.')
param acsResourceId string = ''

@description('Where a new Azure Communication Services resource keeps its data. Cannot be changed later.')
param acsDataLocation string = 'Europe'

// --- AI -------------------------------------------------------------------------------------------

@description('Resource id of an existing AI Foundry account; empty: make one for each of aiLocations.')
param aiResourceId string = ''

@description('Regions of the AI resources, separated by commas: one resource each, and each adds 30 new calls a minute. Must offer Voice Live. Empty: the region of everything else. Append only: names count from the first.')
param aiLocations string = ''

type realtimeModel = {
  name: string
  version: string
  sku: string
  capacity: int
}

@description('Realtime models to deploy in every new AI resource, for agents with bridge realtime_speech. Voice Live brings its own.')
param realtimeModels realtimeModel[] = [
  { name: 'gpt-realtime-2.1', version: '2026-07-07', sku: 'GlobalStandard', capacity: 10 }
  { name: 'gpt-realtime-2.1-mini', version: '2026-07-07', sku: 'GlobalStandard', capacity: 10 }
]

// --- the media worker -----------------------------------------------------------------------------

@description('Calls for which one replica is meant: replicas are added beyond it, and each carries twice as many before it refuses. Lower it if replies get slow under load.')
@minValue(1)
@maxValue(5000)
param callsPerReplica int = 50

@description('Replicas that always run. Two let a call survive the loss of one.')
@minValue(1)
param minReplicas int = 2

@description('Replicas at most. One AI resource takes 30 new calls a minute; at five minutes each that is 150 calls, three replicas. Raise it with aiLocations.')
@minValue(1)
param maxReplicas int = 4

@description('Workload profile of the worker: Consumption, or a dedicated one such as D4, which a maintenance window needs.')
param workloadProfile string = 'Consumption'

@description('Subnet of the Container Apps environment, delegated to Microsoft.App/environments; empty: none. Cannot be changed later.')
param workerSubnetId string = ''

@description('Spread the worker over the zones of the region. Needs workerSubnetId. Cannot be changed later.')
param zoneRedundant bool = false

@description('Day on which Azure may restart replicas for maintenance, such as Sunday; empty: any time. Needs a dedicated workload profile.')
@allowed(['', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])
param maintenanceDay string = ''

@description('Hour, in UTC, at which the maintenance window opens.')
@minValue(0)
@maxValue(23)
param maintenanceHour int = 1

@description('Whether only the addresses from which Azure Communication Services calls may reach the worker. On: after a first call has come through.')
param acsAddressesOnly bool = false

@description('Whether a media socket must bring a valid token of Azure Communication Services (require), or is only logged without one (prefer): for the first call of a new deployment.')
@allowed(['require', 'prefer'])
param mediaAuth string = 'require'

@description('Further settings of the worker, by their names in docs/configuration.md.')
param workerSettings object = {}

@description('Whether the worker was deployed before: azd sets it.')
param workerExists bool = false

// --- storage and Functions ------------------------------------------------------------------------

@description('Redundancy of the storage account. Every call needs it before the answer, hence zones; Standard_LRS where a region has none.')
@allowed(['Standard_ZRS', 'Standard_LRS'])
param storageSku string = 'Standard_ZRS'

@description('Days after which call records and dead letters, which hold numbers of callers, are deleted. What your privacy notice says.')
@minValue(1)
param retentionDays int = 30

@description('Instances of each function group that are always warm; a cold start may outlast the ring. Raise it if many phones ring in the same second.')
@minValue(1)
param alwaysReady int = 1

@description('Further settings of the Functions app, by their names in docs/configuration.md.')
param functionsSettings object = {}

// --- watching -------------------------------------------------------------------------------------

@description('Days for which logs and metrics are kept.')
@minValue(30)
param logRetentionDays int = 30

@description('Address to which alerts and the budget are sent; empty: alerts show in the portal only, and there is no budget.')
param alertEmail string = ''

@description('Milliseconds from the end of what a caller says to the first sound of the answer, above which an alert is raised.')
param replyLatencyMs int = 2000

@description('Monthly budget of the resource group, in the currency of the subscription. A mail at 80 % of it, and when 100 % are foreseen.')
@minValue(1)
param monthlyBudget int = 300

// --- what follows from them -----------------------------------------------------------------------

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var groupName = 'rg-${environmentName}'

// What is made here and what was brought are named alike, by the parts of a resource id:
// /subscriptions/{2}/resourceGroups/{4}/providers/{6}/{7}/{8}.
var ours = '/subscriptions/${subscription().subscriptionId}/resourceGroups/${groupName}/providers'
var makeAcs = empty(acsResourceId)
var acsId = split(makeAcs ? '${ours}/Microsoft.Communication/communicationServices/acs-${token}' : acsResourceId, '/')
var makeAi = empty(aiResourceId)
var aiRegions = split(empty(aiLocations) ? location : aiLocations, ',')
var aiMadeNames = [for i in range(1, length(aiRegions)): 'ai-${token}-${i}']
var aiId = split(makeAi ? '${ours}/Microsoft.CognitiveServices/accounts/-' : aiResourceId, '/')
var aiNames = makeAi ? aiMadeNames : [aiId[8]]

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

// --- what everything else stands on ---------------------------------------------------------------

module identities 'identities.bicep' = {
  scope: group
  params: { token: token, location: location, tags: tags }
}

module monitoring 'monitoring.bicep' = {
  scope: group
  params: { token: token, location: location, tags: tags, retentionDays: logRetentionDays }
}

module storage 'storage.bicep' = {
  scope: group
  params: { token: token, location: location, tags: tags, sku: storageSku, retentionDays: retentionDays }
}

module registry 'registry.bicep' = {
  scope: group
  params: { token: token, location: location, tags: tags }
}

module acsMade 'acs.bicep' = if (makeAcs) {
  scope: group
  params: { name: acsId[8], tags: tags, dataLocation: acsDataLocation }
}

module acs 'acs-used.bicep' = {
  scope: resourceGroup(acsId[2], acsId[4])
  params: { name: acsId[8], workspaceId: monitoring.outputs.workspaceId }
  dependsOn: [acsMade]
}

module aiMade 'ai.bicep' = [for (region, i) in (makeAi ? aiRegions : []): {
  scope: group
  params: { name: aiMadeNames[i], location: trim(region), tags: tags, models: realtimeModels }
}]

module ai 'ai-used.bicep' = {
  scope: resourceGroup(aiId[2], aiId[4])
  params: { names: aiNames }
  dependsOn: [aiMade]
}

module events 'events.bicep' = {
  scope: group
  params: { token: token, tags: tags, acsId: acs.outputs.id, workspaceId: monitoring.outputs.workspaceId }
}

module roles 'roles.bicep' = {
  scope: group
  params: {
    functionsIdentity: identities.outputs.functionsPrincipalId
    workerIdentity: identities.outputs.workerPrincipalId
    topicIdentity: events.outputs.principalId
    acsIdentity: acs.outputs.principalId
    deployer: deployerId
    deployerType: deployerType
    storageName: storage.outputs.name
    registryName: registry.outputs.name
    insightsName: monitoring.outputs.insightsName
    acsGroup: { subscription: acsId[2], name: acsId[4] }
    acsName: acsId[8]
    aiGroup: { subscription: aiId[2], name: aiId[4] }
    aiNames: aiNames
  }
  dependsOn: [ai]
}

// --- the two deployables --------------------------------------------------------------------------

// What both read: switchboard/settings.py.
var shared = {
  ACS_ENDPOINT: acs.outputs.endpoint
  ACS_IMMUTABLE_RESOURCE_ID: acs.outputs.immutableId
  STORAGE_BLOB_ENDPOINT: storage.outputs.blobEndpoint
  STORAGE_QUEUE_ENDPOINT: storage.outputs.queueEndpoint
  SESSIONS_QUEUE: storage.outputs.sessionsQueue
  RECORDS_CONTAINER: storage.outputs.recordsContainer
  DIRECTORY_CONTAINER: storage.outputs.directoryContainer
  CREDENTIAL: 'managed_identity'
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
}

module worker 'worker.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    identityId: identities.outputs.workerId
    identityClientId: identities.outputs.workerClientId
    registryServer: registry.outputs.server
    workspaceId: monitoring.outputs.workspaceId
    exists: workerExists
    callsPerReplica: callsPerReplica
    minReplicas: minReplicas
    maxReplicas: maxReplicas
    workloadProfile: workloadProfile
    subnetId: workerSubnetId
    zoneRedundant: zoneRedundant
    maintenanceDay: maintenanceDay
    maintenanceHour: maintenanceHour
    acsAddressesOnly: acsAddressesOnly
    storageName: storage.outputs.name
    sharedSettings: shared
    furtherSettings: workerSettings
    mediaAuth: mediaAuth
    voiceLiveEndpoints: ai.outputs.voiceLiveEndpoints
    realtimeEndpoints: ai.outputs.realtimeEndpoints
    speechRegion: ai.outputs.speechRegion
    speechResourceId: ai.outputs.speechResourceId
  }
  dependsOn: [roles] // or the first start meets refusals
}

module functions 'functions.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    identityId: identities.outputs.functionsId
    identityClientId: identities.outputs.functionsClientId
    alwaysReady: alwaysReady
    deploymentContainer: storage.outputs.deploymentContainer
    sharedSettings: shared
    furtherSettings: functionsSettings
    acsId: acs.outputs.id
    mediaUrl: worker.outputs.mediaUrl
    speechEndpoint: ai.outputs.speechEndpoint
  }
  dependsOn: [roles]
}

// --- watching -------------------------------------------------------------------------------------

module alerts 'alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    email: alertEmail
    workspaceId: monitoring.outputs.workspaceId
    topicId: events.outputs.id
    workerId: worker.outputs.id
    replyLatencyMs: replyLatencyMs
    deployed: workerExists
  }
}

module budget 'budget.bicep' = if (!empty(alertEmail)) {
  scope: group
  params: { amount: monthlyBudget, email: alertEmail }
}

// --- values of the azd environment: read by azd and by infra/hooks/postdeploy.py ------------------

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.server
output EVENT_TOPIC_NAME string = events.outputs.name
output FUNCTION_APP_NAME string = functions.outputs.name
output STORAGE_ACCOUNT_NAME string = storage.outputs.name
output STORAGE_BLOB_ENDPOINT string = storage.outputs.blobEndpoint
output DIRECTORY_CONTAINER string = storage.outputs.directoryContainer
