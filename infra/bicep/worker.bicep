// The media worker: carries the calls' audio for as long as they last.
param token string
param location string
param tags object
param identityId string
param identityClientId string
param registryServer string
param workspaceId string
param exists bool
param callsPerReplica int
param minReplicas int
param maxReplicas int
param workloadProfile string
param subnetId string
param zoneRedundant bool
param maintenanceDay string
param maintenanceHour int
param acsAddressesOnly bool
param storageName string
param sharedSettings object
param furtherSettings object
param mediaAuth string
param voiceLiveEndpoints array
param realtimeEndpoints array
param speechRegion string
param speechResourceId string

var name = 'ca-worker-${token}'
var port = 8080
var graceSeconds = 600 // the most that Container Apps grants; calls may end by themselves meanwhile

// Before the first `azd deploy` there is no image of ours. Later the one that runs is kept: azd alone changes it.
var placeholder = 'mcr.microsoft.com/azuredocs/containerapps-helloworld:latest'
module current 'worker-image.bicep' = if (exists) {
  params: { name: name }
}
var image = exists ? current!.outputs.image : placeholder

var dedicated = workloadProfile != 'Consumption'
var consumptionProfile = { name: 'Consumption', workloadProfileType: 'Consumption' }
// Nodes follow replicas; as many nodes as replicas is a bound that never binds.
var dedicatedProfile = { name: 'worker', workloadProfileType: workloadProfile, minimumCount: 1, maximumCount: maxReplicas }

// From which Azure Communication Services opens media sockets.
var acsRanges = acsAddressesOnly ? ['52.112.0.0/14', '52.122.0.0/15'] : []
var allowedAddresses = [for block in acsRanges: {
  name: 'acs-${replace(replace(block, '.', '-'), '/', '-')}'
  action: 'Allow'
  ipAddressRange: block
}]

// media_worker/settings.py
var settings = union(sharedSettings, {
  AZURE_CLIENT_ID: identityClientId
  PORT: string(port)
  MEDIA_AUTH: mediaAuth
  VOICE_LIVE_ENDPOINT: join(voiceLiveEndpoints, ',')
  REALTIME_ENDPOINT: join(realtimeEndpoints, ',')
  SPEECH_REGION: speechRegion
  SPEECH_RESOURCE_ID: speechResourceId
  MAX_CALLS: string(callsPerReplica * 2) // room for the calls that come while a new replica starts
  DRAIN_S: string(graceSeconds - 10) // ten seconds to close what is left
}, furtherSettings)
var variables = items(settings)
var environmentVariables = [for variable in variables: { name: variable.key, value: variable.value }]

resource environment 'Microsoft.App/managedEnvironments@2026-07-01' = {
  name: 'cae-${token}'
  location: location
  tags: tags
  properties: {
    zoneRedundant: zoneRedundant
    vnetConfiguration: empty(subnetId) ? null : { infrastructureSubnetId: subnetId }
    workloadProfiles: dedicated ? [consumptionProfile, dedicatedProfile] : [consumptionProfile]
    appLogsConfiguration: { destination: 'azure-monitor' } // the other destination needs a workspace key
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'switchboard'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}

resource maintenance 'Microsoft.App/managedEnvironments/maintenanceConfigurations@2026-07-01' = if (!empty(maintenanceDay)) {
  parent: environment
  name: 'default'
  properties: {
    scheduledEntries: [
      { weekDay: maintenanceDay, startHourUtc: maintenanceHour, durationHours: 8 } // Azure takes no shorter one
    ]
  }
}

resource worker 'Microsoft.App/containerApps@2026-07-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'worker' })
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: dedicated ? dedicatedProfile.name : consumptionProfile.name
    configuration: {
      activeRevisionsMode: 'Single' // with several, each revision would scale on the whole queue
      registries: [
        { server: registryServer, identity: identityId }
      ]
      ingress: {
        external: true // Azure Communication Services calls from outside
        targetPort: port
        transport: 'http' // WebSocket upgrades are HTTP/1.1
        allowInsecure: false
        ipSecurityRestrictions: allowedAddresses
      }
    }
    template: {
      terminationGracePeriodSeconds: graceSeconds
      containers: [
        {
          name: 'worker'
          image: image
          resources: { cpu: json('1.0'), memory: '2Gi' } // one process, one event loop: a second core would idle
          env: environmentVariables
          probes: image == placeholder ? [] : [
            {
              type: 'Startup'
              httpGet: { path: '/healthz', port: port }
              periodSeconds: 3 // half a minute in all, and soon ready: a replica is wanted because calls come
              failureThreshold: 10
            }
            {
              type: 'Liveness'
              httpGet: { path: '/healthz', port: port }
              periodSeconds: 10
              failureThreshold: 6 // a restart ends every call on the replica: only after a minute of silence
            }
            {
              type: 'Readiness' // says "draining" and nothing else
              httpGet: { path: '/readyz', port: port }
              periodSeconds: 5
              failureThreshold: 1
            }
          ]
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        pollingInterval: 10 // a ring lasts 30 s
        rules: [
          {
            name: 'calls-in-progress'
            custom: {
              type: 'azure-queue' // the rule of that name without `custom` has no strategy
              identity: identityId
              metadata: {
                accountName: storageName
                queueName: sharedSettings.SESSIONS_QUEUE
                queueLength: string(callsPerReplica)
                queueLengthStrategy: 'all' // a call in progress is a hidden message
              }
            }
          }
        ]
      }
    }
  }
}

output id string = worker.id
output mediaUrl string = 'wss://${worker.properties.configuration.ingress.fqdn}'
