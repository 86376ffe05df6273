// A new Azure Communication Services resource. Tenants that can no longer make one bring theirs: acsResourceId.
param name string
param tags object
param dataLocation string

resource acs 'Microsoft.Communication/communicationServices@2025-09-01' = {
  name: name
  location: 'global'
  tags: tags
  identity: { type: 'SystemAssigned' } // speaks the apology through the AI resource when no worker can
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: true
  }
}
