// The Functions app: takes the ringing call, answers it, and looks after it when its audio fails.
param token string
param location string
param tags object
param identityId string
param identityClientId string
param alwaysReady int
param deploymentContainer string
param sharedSettings object
param furtherSettings object
param acsId string
param mediaUrl string
param speechEndpoint string

resource plan 'Microsoft.Web/serverfarms@2025-05-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true } // Linux
}

resource app 'Microsoft.Web/sites@2025-05-01' = {
  name: 'func-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'functions' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: { minTlsVersion: '1.2', ftpsState: 'Disabled', http20Enabled: true }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${sharedSettings.STORAGE_BLOB_ENDPOINT}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048 // the platform's default
        maximumInstanceCount: 40 // the low end of its documented range: an instance answers many calls at once
        alwaysReady: [
          // Each group scales on its own: the event and the callbacks share no instance.
          { name: 'function:incoming_call', instanceCount: alwaysReady }
          { name: 'http', instanceCount: alwaysReady }
        ]
      }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2025-05-01' = {
  parent: app
  name: 'appsettings'
  // functions/settings.py, and what the host itself reads
  properties: union(sharedSettings, {
    AZURE_CLIENT_ID: identityClientId
    ACS_RESOURCE_ID: acsId
    CALLBACK_URL: 'https://${app.properties.defaultHostName}/api'
    MEDIA_URL: mediaUrl
    COGNITIVE_SERVICES_ENDPOINT: speechEndpoint
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    AzureWebJobsStorage__blobServiceUri: sharedSettings.STORAGE_BLOB_ENDPOINT
  }, furtherSettings)
}

// Publishing with a password, off: azd publishes with the deployer's identity.
resource passwords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-05-01' = [for channel in ['scm', 'ftp']: {
  parent: app
  name: channel
  properties: { allow: false }
}]

output name string = app.name
